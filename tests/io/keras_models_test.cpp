// Keras's own model files: what config.json describes is built, takes the recorded weights, and
// gives the recorded outputs; and what we write of it says what Keras says.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "src/io/safetensors.h"
#include "unroll/model_json.h"

namespace unroll {
namespace {

using nlohmann::json;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <class T>
T number_at(const std::string& bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// A member of a zip archive that was stored as it is.
std::string member(const std::string& archive, const std::string& name) {
  constexpr std::uint32_t central_entry = 0x02014b50;
  for (std::size_t at = archive.find("PK\1\2"); at != std::string::npos;) {
    if (number_at<std::uint32_t>(archive, at) != central_entry) break;
    const auto size = number_at<std::uint32_t>(archive, at + 20);
    const auto length = number_at<std::uint16_t>(archive, at + 28);
    const auto local = number_at<std::uint32_t>(archive, at + 42);
    if (archive.compare(at + 46, length, name) == 0) {
      const std::size_t data = local + 30u + number_at<std::uint16_t>(archive, local + 26) +
                               number_at<std::uint16_t>(archive, local + 28);
      return archive.substr(data, size);
    }
    at += 46u + length + number_at<std::uint16_t>(archive, at + 30) +
          number_at<std::uint16_t>(archive, at + 32);
  }
  return {};
}

class KerasModels : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("UNROLL_GOLDEN_DIR");
    if (folder == nullptr || !std::filesystem::is_directory(folder)) {
      GTEST_SKIP() << "UNROLL_GOLDEN_DIR names no folder";
    }
    const std::filesystem::path models = std::filesystem::path(folder) / "models";
    config_ = member(read_file(models / (GetParam() + ".keras")), "config.json");
    about_ = json::parse(read_file(models / (GetParam() + ".json")));
    const io::TensorFile file =
        io::parse_safetensors(read_file(models / (GetParam() + ".io.safetensors")), GetParam());
    tensors_ = {file.tensors.begin(), file.tensors.end()};
  }

  std::vector<Tensor> weights(const json& list) const {
    std::vector<Tensor> weights;
    for (const json& weight : list) weights.push_back(tensors_.at(weight["key"]));
    return weights;
  }

  Tensors inputs() const {
    Tensors x;
    for (const json& key : about_["input_order"]) x.push_back(tensors_.at(key));
    return x;
  }

  void expect_close(const Tensors& got, const std::string& prefix, DType dtype) const {
    ASSERT_EQ(got.size(), about_["outputs"].size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      const bool in_double = dtype == DType::float64;
      const Tensor want =
          tensors_.at(prefix + std::to_string(i) + (in_double ? ".f64" : "")).to(DType::float64);
      ASSERT_EQ(got[i].shape(), want.shape());
      const Tensor is = got[i].to(DType::float64);
      for (std::size_t k = 0; k < is.values<double>().size(); ++k) {
        EXPECT_NEAR(is.values<double>()[k], want.values<double>()[k], in_double ? 1e-9 : 2e-6);
      }
    }
  }

  std::string config_;
  json about_;
  std::map<std::string, Tensor> tensors_;
};

TEST_P(KerasModels, GiveTheRecordedOutputs) {
  for (const DType dtype : {DType::float32, DType::float64}) {
    Model model = model_from_json(config_);
    if (dtype == DType::float64) model.set_dtype(dtype);
    ASSERT_TRUE(model.built());
    Index numbers = 0;
    const std::vector<Tensor> given = weights(about_["weights"]);
    for (const Tensor& weight : given) numbers += weight.elements();
    EXPECT_EQ(model.count_params(), numbers);
    model.set_weights(given);
    expect_close(model.predict(inputs()), "out/", dtype);
    // A second call of a stateful model goes on from the first.
    if (dtype == DType::float32 && tensors_.contains("out_second_call/0")) {
      expect_close(model.predict(inputs()), "out_second_call/", dtype);
    }
  }
}

// --- the same content ---

/// Fields that Keras writes and ours do not have, or have another way, and why Keras reads ours all
/// the same.
const std::map<std::string, std::string> known_differences{
    {"shared_object_id", "numbers of objects in Keras's memory; ours mark shared layers only"},
    {"compile_config", "a description holds no compiling"},
    {"activity_regularizer", "null: Keras's default"},
    {"quantization_config", "null: Keras's default"},
    {"noise_shape", "null: Keras's default"},
    {"seed", "null: Keras's default"},
    {"input_axes", "null: Keras's default"},
    {"output_axes", "null: Keras's default"},
    {"rms_scaling", "false: Keras's default"},
    {"synchronized", "false: Keras's default"},
    {"renorm", "false: Keras's default"},
    {"renorm_clipping", "null: Keras's default"},
    {"renorm_momentum", "Keras's default, of no effect without renorm"},
    {"build_config", "of layers without weights, with several inputs, or inside of others"},
    {"training", "false: Keras notes that it traced the call outside of fit"},
    {"mask", "Keras works it out again from the Embedding when it reads the model"},
    {"not_equal", "the operation behind that mask"},
    {"dtype of ids", "int32, which Keras's Embedding takes too"},
};

class Differences {
 public:
  std::set<std::string> names;          ///< of fields that are known to differ
  std::vector<std::string> unexpected;  ///< where others do

  void compare(const json& keras, const json& ours, const std::string& place) {
    if (keras.is_object() && ours.is_object()) {
      objects(keras, ours, place);
    } else if (keras.is_array() && ours.is_array() && keras.size() == ours.size()) {
      for (std::size_t i = 0; i < keras.size(); ++i) {
        compare(keras[i], ours[i], place + "/" + std::to_string(i));
      }
    } else if (keras != ours) {
      const bool ids = place.ends_with("/dtype") && keras == "float32" && ours == "int32";
      note(ids ? "dtype of ids" : "", place + ": " + keras.dump() + " is " + ours.dump());
    }
  }

 private:
  void objects(const json& keras, const json& ours, const std::string& place) {
    for (const auto& [name, value] : keras.items()) {
      const std::string at = place + "/" + name;
      if (name == "layers") {
        layers(value, ours.value(name, json::array()), at);
      } else if (!ours.contains(name)) {
        const bool is_default = value.is_null() || value == false || name != "seed";
        note(is_default ? name : "", at + " is missing");
      } else {
        compare(value, ours[name], at);
      }
    }
    for (const auto& [name, value] : ours.items()) {
      if (!keras.contains(name)) unexpected.push_back(place + "/" + name + " is new");
    }
  }

  void layers(const json& keras, const json& ours, const std::string& place) {
    std::size_t next = 0;
    for (const json& layer : keras) {
      if (layer["class_name"] == "NotEqual") {
        note("not_equal", place);
      } else if (next >= ours.size()) {
        unexpected.push_back(place + " ends early");
        return;
      } else {
        compare(layer, ours[next], place + "/" + std::to_string(next));
        ++next;
      }
    }
    if (next < ours.size()) unexpected.push_back(place + " goes on");
  }

  void note(const std::string& name, const std::string& what) {
    if (known_differences.contains(name)) {
      names.insert(name);
    } else {
      unexpected.push_back(what);
    }
  }
};

TEST_P(KerasModels, AreWrittenAsKerasWritesThem) {
  Differences differences;
  differences.compare(json::parse(config_), json::parse(to_json(model_from_json(config_))), "");
  for (const std::string& place : differences.unexpected) ADD_FAILURE() << place;
  // Text that differs nowhere would be another text.
  EXPECT_TRUE(differences.names.contains("compile_config"));
}

INSTANTIATE_TEST_SUITE_P(Golden, KerasModels,
                         testing::Values("func_imdb_getitem", "func_seq2seq_lstm",
                                         "seq_emb_mask_bilstm", "seq_gru_compiled_trained",
                                         "seq_gru_stateful", "seq_lstm_dropout",
                                         "seq_masking_simplernn_ln", "seq_repeat_timedistributed",
                                         "seq_simplernn"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace unroll
