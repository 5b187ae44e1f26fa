#include "unroll/bundle.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "src/io/safetensors.h"
#include "tests/refused.h"
#include "unroll/error.h"
#include "unroll/layers.h"
#include "unroll/recurrent.h"
#include "unroll/stream.h"

namespace unroll {
namespace {

Tensor numbers(const Shape& shape) {
  Tensor result(shape);
  for (Index i = 0; i < result.elements(); ++i) {
    result.floats()[i] = static_cast<float>((i * 37) % 23) / 23 - 0.4F;
  }
  return result;
}

Tensor ids(const Shape& shape, int below) {
  Tensor result(shape, DType::int32);
  for (Index i = 0; i < result.elements(); ++i) {
    result.values<std::int32_t>()[static_cast<std::size_t>(i)] =
        static_cast<std::int32_t>((i * 7) % below);
  }
  return result;
}

bool same(const Tensor& a, const Tensor& b) {
  return a.describe() == b.describe() &&
         std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.bytes())) == 0;
}

/// Saves and loads, and expects the same outputs, bit for bit; saving again gives the same bytes.
Bundle round_trip(Model model, const Tensors& x) {
  const Tensors before = model.predict(x);
  const std::string bytes = write_bundle({.model = model, .sample = x});
  Bundle again = parse_bundle(bytes);
  const Tensors after = again.model.predict(x);
  EXPECT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    EXPECT_TRUE(same(before[i], after[i])) << "output " << i;
  }
  EXPECT_EQ(model.summary(), again.model.summary());
  EXPECT_EQ(write_bundle(again), bytes);
  return again;
}

Sequential small() {
  return Sequential(
      {InputLayer({.shape = {5, 2}}), SimpleRNN(3, {.activation = "relu"}), Dense(1)});
}

TEST(Bundle, Sequential) {
  const Bundle again = round_trip(small(), numbers({4, 5, 2}));
  EXPECT_EQ(again.model.name(), "sequential");
  EXPECT_EQ(again.model.layers().size(), 2U);
  EXPECT_EQ(again.sample.size(), 1U);
}

/// What was loaded is kept in the same bytes, streams in the same bits, and is near what it was.
TEST(Bundle, KeepsKernelsWithFewerBits) {
  Sequential model({InputLayer({.shape = {6, 3}}), LSTM(20, {.return_sequences = true}),
                    GRU(10, {.reset_after = false}), Dense(2)});
  const Tensor x = numbers({4, 6, 3});
  const Tensor y = model.predict(x);
  const std::size_t whole = write_bundle({.model = model, .sample = x}).size();
  std::size_t last = whole;
  for (const WeightType weights : {WeightType::bfloat16, WeightType::int8}) {
    const std::string bytes = write_bundle({.model = model, .sample = x, .weights = weights});
    EXPECT_LT(bytes.size(), last);
    last = bytes.size();
    EXPECT_TRUE(same(model.predict(x), y));  // the model itself is as before
    Bundle again = parse_bundle(bytes);
    EXPECT_EQ(again.weights, weights);
    EXPECT_EQ(write_bundle(again), bytes);
    const Tensor z = again.model.predict(x);
    for (Index i = 0; i < y.elements(); ++i) EXPECT_NEAR(z.floats()[i], y.floats()[i], 0.02f);
    EXPECT_FALSE(same(z, y));
    Session ours(PackedModel(model, {.weights = weights}));
    Session theirs(PackedModel(again.model, {.weights = weights}));
    const std::vector<float> step{0.5f, -1, 2};
    const auto a = ours.step(step), b = theirs.step(step);
    EXPECT_TRUE(std::ranges::equal(a, b));
  }
}

TEST(Bundle, RefusesKernelsThatAreNotKeptAsTheyShouldBe) {
  Sequential model({InputLayer({.shape = {2}}), Dense(3)});
  const auto refused = [&](auto change) {
    const std::string bytes = write_bundle({.model = model, .weights = WeightType::int8});
    io::TensorFile file = io::parse_safetensors(bytes, "b");
    change(file);
    try {
      parse_bundle(io::write_safetensors(file), "b");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  const auto tensor = [](io::TensorFile& file, const std::string& name) -> Tensor& {
    return std::ranges::find(file.tensors, name, &std::pair<std::string, Tensor>::first)->second;
  };
  EXPECT_EQ(refused([&](auto& file) { tensor(file, "dense/kernel.scale") = Tensor({2}); }),
            "b: kernel \"dense/kernel\" is not kept as it should be\n"
            "  got    float32 (2,)\n"
            "  want   a float32 scale for each column");
  EXPECT_EQ(refused([&](auto& file) {
              tensor(file, "dense/kernel.int8") = Tensor({2, 3});
            }),
            "b: kernel \"dense/kernel\" is not kept as it should be\n"
            "  got    float32 (2, 3)\n"
            "  want   uint8 (rows, columns)");
  EXPECT_EQ(refused([](auto& file) {
              std::string& text = file.metadata["unroll"];
              text.replace(text.find("int8"), 4, "int3");
            }),
            "b: the weights are kept in an unknown way\n"
            "  got    \"int3\"\n"
            "  want   float32, bfloat16 or int8");
  Sequential precise({InputLayer({.shape = {2}}), Dense(3)});
  precise.set_dtype(DType::float64);
  try {
    write_bundle({.model = precise, .weights = WeightType::int8});
    FAIL() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "a model of float64 is kept in float64 only\n  got    int8");
  }
}

TEST(Bundle, EveryRecurrentLayer) {
  const RNN stack({GRUCell(3, {.reset_after = false}), LSTMCell(4), SimpleRNNCell(2)},
                  {.return_sequences = true});
  round_trip(Sequential({InputLayer({.shape = {6, 2}}), stack,
                         Bidirectional(LSTM(3, {.return_sequences = true}), {.merge_mode = "sum"}),
                         Bidirectional(GRU(2), {.merge_mode = "concat"}), Dense(2)}),
             numbers({3, 6, 2}));
}

TEST(Bundle, TextAndMasks) {
  round_trip(Sequential({InputLayer({.shape = {7}}), Embedding(11, 4, {.mask_zero = true}),
                         Dropout(0.5), LSTM(5, {.return_sequences = true}),
                         TimeDistributed(Dense(3, {.activation = "tanh"})), Flatten(),
                         Dense(2, {.activation = "softmax"})}),
             ids({4, 7}, 11));
}

TEST(Bundle, FunctionalWithSharedLayersSlicesAndSeveralEnds) {
  const Symbol a = Input({.shape = {5, 2}, .name = "a"}), b = Input({.shape = {5, 2}, .name = "b"});
  const GRU shared(4, {.return_sequences = true, .return_state = true, .name = "shared"});
  const auto [ya, ha] = shared(a).unpack<2>();
  const auto [yb, hb] = shared(b).unpack<2>();
  const Symbol joined = Concatenate()({ya[{all, -1, all}], yb[{all, -1, range(1, 3)}]});
  const Symbol first = Dense(2, {.kernel_regularizer = l2(0.1)})(joined);
  const Symbol second = Add()({ha, hb});
  round_trip(Model({.inputs = {a, b}, .outputs = {first, second}, .name = "pair"}),
             {numbers({3, 5, 2}), numbers({3, 5, 2})});
}

TEST(Bundle, InitialStatesAndExplicitShapes) {
  const Symbol x = Input({.shape = {4, 3}}), h = Input({.shape = {2}}), c = Input({.shape = {2}});
  const Symbol y = LSTM(2)(x, {h, c});
  const Symbol z = Reshape({1, unknown})(RepeatVector(3)(y));
  round_trip(Model({.inputs = {x, h, c}, .outputs = {z}}),
             {numbers({2, 4, 3}), numbers({2, 2}), numbers({2, 2})});
}

TEST(Bundle, NormalizationAndFrozenWeights) {
  Sequential model(
      {InputLayer({.shape = {4}}), Dense(3), BatchNormalization(), LayerNormalization()});
  model.layers()[0].set_trainable(false);
  const Bundle again = round_trip(model, numbers({5, 4}));
  EXPECT_EQ(again.model.count_trainable(), model.count_trainable());
  EXPECT_LT(again.model.count_trainable(), again.model.count_params());
}

TEST(Bundle, Float64) {
  Sequential model = small();
  model.set_dtype(DType::float64);
  const Tensor x = numbers({2, 5, 2}).to(DType::float64);
  const Bundle again = parse_bundle(write_bundle({.model = model, .sample = x}));
  const std::vector<Tensor> before = model.get_weights(), after = again.model.get_weights();
  EXPECT_EQ(after[0].dtype(), DType::float64);
  EXPECT_TRUE(same(before[0], after[0]));
}

TEST(Bundle, ScalersAndProperties) {
  const Bundle again = parse_bundle(
      write_bundle({.model = small(),
                    .scalers = {{"input", Scaler("MinMaxScaler", {0.1}, {3e-7})}},
                    .properties = {{"task", "forecast"}, {"column", "Schluß \"x\""}}}));
  EXPECT_EQ(again.scaler("input").name(), "MinMaxScaler");
  EXPECT_EQ(again.scaler("input").center()[0], 0.1);
  EXPECT_EQ(again.scaler("input").scale()[0], 3e-7);
  EXPECT_EQ(again.property("column"), "Schluß \"x\"");
  EXPECT_EQ(refused([&] { again.scaler("output"); }), "the bundle has no scaler \"output\"");
  EXPECT_EQ(refused([&] { again.property("window"); }), "the bundle has no property \"window\"");
}

TEST(Bundle, TensorsOfTheTask) {
  Model model = Sequential({InputLayer({.shape = {3}}), Dense(2, {.name = "task"})});
  const Tensor ids = Tensor::of<std::int32_t>({3}, {4, 1, 5});
  const Bundle again = parse_bundle(write_bundle({.model = model, .tensors = {{"ids", ids}}}));
  ASSERT_EQ(again.tensors.size(), 1U);
  EXPECT_EQ(again.tensor("ids").describe(), "int32 (3,)");
  EXPECT_EQ(again.tensor("ids").values<std::int32_t>()[2], 5);
  EXPECT_EQ(refused([&] { static_cast<void>(again.tensor("words")); }),
            "the bundle has no tensor \"words\"");
}

TEST(Bundle, AUsersOwnLayerIsRefused) {
  class Twice : public LayerImpl {
   public:
    std::string_view class_name() const override { return "Twice"; }
    std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
      return {inputs[0]};
    }
    Vars call(Call&, const Vars& inputs) override { return {inputs[0] + inputs[0]}; }
  };
  const Sequential model({InputLayer({.shape = {2}}), Layer(std::make_shared<Twice>())});
  EXPECT_EQ(refused([&] { write_bundle({.model = model}); }),
            "no description of your own class Twice\n"
            "hint: a file or copy holds unroll's layers and cells only; keep the weights by "
            "get_weights(), and make the model again in your program");
}

TEST(Bundle, AModelThatIsNotBuiltIsRefused) {
  EXPECT_EQ(refused([] { write_bundle({.model = Sequential({Dense(1)})}); }),
            "the model \"sequential\" is not built yet\n"
            "hint: start it with InputLayer({.shape = ...}), call build, or fit it");
}

// --- malformed bundles ---

/// The bytes of a good bundle with its manifest or tensors changed.
std::string changed(const std::function<void(nlohmann::ordered_json&, io::TensorFile&)>& change) {
  io::TensorFile file =
      io::parse_safetensors(write_bundle({.model = small(), .sample = numbers({2, 5, 2})}), "good");
  auto manifest = nlohmann::ordered_json::parse(file.metadata["unroll"]);
  change(manifest, file);
  file.metadata["unroll"] = manifest.dump();
  return io::write_safetensors(file);
}

std::string said(const std::function<void(nlohmann::ordered_json&, io::TensorFile&)>& change) {
  return refused([&] { parse_bundle(changed(change), "m"); });
}

Tensor& tensor(io::TensorFile& file, const std::string& name) {
  for (auto& [known, value] : file.tensors) {
    if (known == name) return value;
  }
  throw std::out_of_range(name);
}

TEST(BadBundle, UnchangedIsGood) {
  EXPECT_EQ(said([](auto&, auto&) {}), "not refused");
}

TEST(BadBundle, Weights) {
  EXPECT_EQ(said([](auto&, auto& file) {
              tensor(file, "dense/kernel") = numbers({4, 1});
            }),
            "m: weight \"dense/kernel\" does not fit its layer\n"
            "  got    float32 (4, 1)\n"
            "  want   float32 or float64 (3, 1)");
  EXPECT_EQ(said([](auto&, auto& file) { tensor(file, "dense/bias").floats()[0] = NAN; }),
            "m: weight \"dense/bias\" is not all numbers\n  got    nan or infinity");
  EXPECT_EQ(said([](auto&, auto& file) { file.tensors.emplace_back("more", numbers({1})); }),
            "m: a tensor that the model has no use for\n  got    \"more\"");
  EXPECT_EQ(said([](auto&, auto& file) {
              for (auto& [name, value] : file.tensors) {
                if (name == "dense/bias") name = "dense/bios";
              }
            }),
            "m: tensor \"dense/bias\" is missing");
}

TEST(BadBundle, OtherOutputsThanWhenItWasSaved) {
  EXPECT_TRUE(said([](auto&, auto& file) {
                tensor(file, "dense/bias").floats()[0] += 1;
              }).starts_with("m: the model gives other outputs than when it was saved\n  got    "));
}

TEST(BadBundle, Manifest) {
  EXPECT_EQ(said([](auto& manifest, auto&) { manifest["format"] = 1; }),
            "m: a bundle of another format version\n"
            "  got    1\n"
            "  want   2\n"
            "hint: a newer unroll may read it");
  EXPECT_EQ(said([](auto& manifest, auto&) { manifest.erase("model"); }),
            "m: the manifest has no \"model\"");
  EXPECT_EQ(said([](auto& manifest, auto&) {
              manifest["model"]["config"]["layers"][1]["class_name"] = "Magic";
            }),
            "m: no such layer, at /model/config/layers/1/class_name\n"
            "  got    \"Magic\"\n"
            "hint: unroll help layers lists what there is");
  EXPECT_EQ(said([](auto& manifest, auto&) { manifest["trainable"]["dense"] = {true}; }),
            "m: \"trainable\" does not have a flag for each weight");
}

TEST(BadBundle, AbsurdSizesAreRefusedBeforeAnythingIsAllocated) {
  EXPECT_EQ(said([](auto& manifest, auto&) {
              manifest["model"]["config"]["layers"][1]["config"]["units"] = 2'000'000'000;
            }),
            "m: layer \"simple_rnn\" needs more weights than there may be, at "
            "/model/config/layers/1\n"
            "  got    4e+18 numbers or more\n"
            "  want   at most 22 in all layers");
  EXPECT_EQ(said([](auto& manifest, auto&) {
              manifest["model"]["config"]["layers"][0]["config"]["batch_shape"] = {
                  nullptr, 2'000'000'000, 2'000'000'000};
            }),
            "m: values of an absurd size, at /model/config/layers\n"
            "  got    (None, 2000000000, 2000000000)");
}

TEST(BadBundle, AnotherSafetensorsFile) {
  io::TensorFile file;
  file.tensors.emplace_back("w", numbers({2}));
  EXPECT_EQ(refused([&] { parse_bundle(io::write_safetensors(file), "m"); }),
            "m: a safetensors file, but not a bundle of unroll\n"
            "  want   the entry \"unroll\" in its __metadata__");
}

TEST(BadBundle, NoFlippedByteOfTheHeaderCrashes) {
  const std::string good = write_bundle({.model = small(), .sample = numbers({2, 5, 2})});
  std::uint64_t length = 0;
  std::memcpy(&length, good.data(), 8);
  Index refusals = 0;
  for (std::size_t at = 0; at < 8 + length; ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x15);
    try {
      parse_bundle(bad, "m");
    } catch (const Error&) {
      ++refusals;
    }
  }
  // A flipped letter in a name that is used nowhere else is no mistake.
  EXPECT_GT(refusals, static_cast<Index>(length) / 2);
}

// --- files ---

class BundleFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("unroll-bundle-" + std::to_string(::getpid()) + "-" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(BundleFile, SavedAndLoaded) {
  Sequential model = small();
  save_bundle({.model = model}, path("m.unroll"));
  save_bundle({.model = model}, path("m.unroll"));
  EXPECT_EQ(files(), 1U);
  Bundle again = load_bundle(path("m.unroll"));
  const Tensor x = numbers({3, 5, 2});
  EXPECT_TRUE(same(model.predict(x), again.model.predict(x)));
}

TEST_F(BundleFile, KeepsTheRightsOfTheOldFileAndFollowsLinks) {
  std::ofstream(path("old")) << "x";
  ::chmod(path("old").c_str(), 0640);
  std::filesystem::create_symlink("old", path("link"));
  save_bundle({.model = small()}, path("link"));
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  struct stat status {};
  ASSERT_EQ(::stat(path("old").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
  EXPECT_NO_THROW(load_bundle(path("old")));
}

TEST_F(BundleFile, Refusals) {
  EXPECT_EQ(refused([&] { load_bundle("no/such.unroll"); }), "no/such.unroll: no such file");
  EXPECT_EQ(refused([&] { load_bundle("/"); }), "/: a folder, not a file");
  EXPECT_EQ(refused([&] { save_bundle({.model = small()}, "no/such/m.unroll"); }),
            "no/such/m.unroll: cannot be written\n"
            "  got    no such file or directory\n"
            "hint: make its folder first");
  EXPECT_EQ(refused([&] { save_bundle({.model = small()}, "/dev/full"); }),
            "/dev/full: cannot be written\n  got    no space left on device");
  struct stat status {};
  ASSERT_EQ(::stat("/dev/full", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode)) << "the device is still there";
}

}  // namespace
}  // namespace unroll
