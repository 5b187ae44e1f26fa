// Bundles: see docs/formats/bundle.md for every byte.
#include "unroll/bundle.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "src/io/file.h"
#include "src/io/json.h"
#include "src/io/model_reader.h"
#include "src/io/model_writer.h"
#include "src/io/quantised.h"
#include "src/io/safetensors.h"
#include "src/io/weight_names.h"
#include "src/model/model_impl.h"
#include "unroll/error.h"
#include "unroll/version.h"

namespace unroll {

using io::Json;

namespace {

constexpr int format_version = 2;
constexpr const char* manifest_key = "unroll";
constexpr Index most_bytes = Index{16} << 30;
/// Instruction sets differ in the last bits of exp and tanh, and a recurrence carries them on.
constexpr double tolerance = 1e-4;
/// Numbers that running the sample again may need in all: bounds what a hostile file can ask for.
constexpr double most_replayed = 1 << 28;

/// Before the names of what the task keeps.
constexpr const char* task_prefix = "task/tensor/";

std::string sample_name(const char* what, std::size_t i) {
  return std::string("sample/") + what + "/" + std::to_string(i);
}

// --- writing ---

Json to_json(const Bundle& bundle) {
  Json scalers = Json::object();
  for (const auto& [name, scaler] : bundle.scalers) {
    scalers[name] = {
        {"name", scaler.name()},
        {"center", std::vector<double>(scaler.center().begin(), scaler.center().end())},
        {"scale", std::vector<double>(scaler.scale().begin(), scaler.scale().end())}};
  }
  Json properties = Json::object();
  for (const auto& [name, value] : bundle.properties) properties[name] = value;
  Json trainable = Json::object();
  for (const auto& layer : io::layers_of(bundle.model)) {
    Json flags = Json::array();
    for (const Parameter* parameter : layer->parameters()) flags.push_back(parameter->trainable);
    if (!flags.empty()) trainable[layer->name] = flags;
  }
  Json manifest = {{"format", format_version},
                   {"version", version()},
                   {"model", io::model_to_json(bundle.model)},
                   {"trainable", trainable},
                   {"scalers", scalers},
                   {"properties", properties}};
  if (bundle.weights != WeightType::float32) manifest["weights"] = io::to_string(bundle.weights);
  return manifest;
}

bool finite(const Tensor& tensor) {
  const auto all_finite = [](auto values) {
    return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
  };
  if (tensor.dtype() == DType::float32) return all_finite(tensor.values<float>());
  if (tensor.dtype() == DType::float64) return all_finite(tensor.values<double>());
  return true;
}

void add_weights(const Bundle& bundle, io::TensorFile& file) {
  const bool whole = bundle.weights == WeightType::float32;
  for (const auto& layer : io::layers_of(bundle.model)) {
    const std::vector<std::string> names = io::weight_names(*layer);
    const auto parameters = layer->parameters();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!finite(parameters[i]->value())) {
        throw Error(ErrorKind::value, "a model whose weights are not all numbers cannot be saved",
                    {.got = "nan or infinity in \"" + names[i] + "\""});
      }
      if (whole || !io::is_kernel(*parameters[i])) {
        file.tensors.emplace_back(names[i], parameters[i]->value());
      } else {
        io::add_quantised(file, names[i], parameters[i]->value(), bundle.weights);
      }
    }
  }
}

/// While it lives, a model's kernels are what they will be when they are read again.
class Rounded {
 public:
  explicit Rounded(const Bundle& bundle) : model_(bundle.model) {
    if (bundle.weights == WeightType::float32) return;
    before_ = model_.get_weights();
    for (Parameter* parameter : model_.impl().built_graph().parameters()) {
      if (io::is_kernel(*parameter)) {
        parameter->assign(io::rounded(parameter->value(), bundle.weights));
      }
    }
  }
  ~Rounded() {
    if (!before_.empty()) model_.set_weights(before_);
  }
  Rounded(const Rounded&) = delete;
  Rounded& operator=(const Rounded&) = delete;

 private:
  Model model_;
  std::vector<Tensor> before_;
};

void add_sample(const Bundle& bundle, io::TensorFile& file) {
  if (bundle.sample.empty()) return;
  const Rounded rounded(bundle);
  Model model = bundle.model;
  Session session;
  const Tensors outputs = model.predict(session, bundle.sample);
  for (std::size_t i = 0; i < bundle.sample.size(); ++i) {
    file.tensors.emplace_back(sample_name("input", i), bundle.sample[i]);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    file.tensors.emplace_back(sample_name("output", i), outputs[i]);
  }
}

// --- reading ---

class BundleReader {
 public:
  explicit BundleReader(io::TensorFile file) {
    for (auto& [name, tensor] : file.tensors) tensors_.emplace(name, std::move(tensor));
    metadata_ = std::move(file.metadata);
  }

  Bundle read() {
    const Json manifest = read_manifest();
    const io::JsonAt model(object_in(manifest, "model"), "/model");
    // No weight is allocated that the file does not hold.
    Bundle bundle{.model = io::read_model(model, numbers())};
    if (!bundle.model.built()) throw refusal("a model that is not built");
    for (const auto& [name, value] : object_in(manifest, "scalers").items()) {
      bundle.scalers.emplace_back(name, scaler_of(value));
    }
    for (const auto& [name, value] : object_in(manifest, "properties").items()) {
      if (!value.is_string()) throw refusal("property \"" + name + "\" is not a text");
      bundle.properties.emplace_back(name, value.get<std::string>());
    }
    bundle.weights = weights_in(manifest);
    set_weights(bundle.model, object_in(manifest, "trainable"));
    take_task_tensors(bundle);
    replay(bundle);
    if (!tensors_.empty()) {
      throw refusal("a tensor that the model has no use for",
                    {.got = "\"" + tensors_.begin()->first + "\""});
    }
    return bundle;
  }

 private:
  static Error refusal(const std::string& what, Details details = {}) {
    return Error(ErrorKind::format, what, std::move(details));
  }

  Json read_manifest() const {
    const auto found = metadata_.find(manifest_key);
    if (found == metadata_.end()) {
      throw refusal("a safetensors file, but not a bundle of unroll",
                    {.want = "the entry \"unroll\" in its __metadata__"});
    }
    const Json manifest = Json::parse(found->second).value_or(Json());
    if (!manifest.is_object()) throw refusal("the manifest is not a JSON object");
    const Json version = manifest.value("format", Json());
    if (!version.is_number() || version.get<double>() != format_version) {
      throw refusal("a bundle of another format version",
                    {.got = version.is_number() ? version.dump() : version.type_name(),
                     .want = std::to_string(format_version),
                     .hint = "a newer unroll may read it"});
    }
    return manifest;
  }

  static const Json& object_in(const Json& manifest, const char* name) {
    const auto found = manifest.find(name);
    if (found != manifest.end() && found->is_object()) return *found;
    throw refusal(std::string("the manifest has no \"") + name + "\"");
  }

  static WeightType weights_in(const Json& manifest) {
    const Json kept = manifest.value("weights", Json("float32"));
    for (const WeightType type : {WeightType::float32, WeightType::bfloat16, WeightType::int8}) {
      if (kept.is_string() && kept.get<std::string>() == io::to_string(type)) return type;
    }
    throw refusal("the weights are kept in an unknown way",
                  {.got = kept.dump(), .want = "float32, bfloat16 or int8"});
  }

  /// A weight, or what its tensors with fewer bits stand for.
  Tensor take_weight(const std::string& name) {
    if (tensors_.contains(name + ".bfloat16")) {
      return io::from_bfloat16(name, take(name + ".bfloat16"));
    }
    if (!tensors_.contains(name + ".int8")) return take(name);
    const Tensor numbers = take(name + ".int8");
    return io::from_int8(name, numbers, take(name + ".scale"));
  }

  Index numbers() const {
    Index count = 0;
    for (const auto& [name, tensor] : tensors_) {
      if (!name.starts_with("sample/") && !name.starts_with(task_prefix))
        count += tensor.elements();
    }
    return count;
  }

  static Scaler scaler_of(const Json& value) {
    const auto numbers = [&](const char* name) {
      std::vector<double> result;
      const Json list = value.is_object() ? value.value(name, Json()) : Json();
      if (!list.is_array()) throw refusal("a scaler is not described");
      for (const Json& number : list) {
        if (!number.is_number()) throw refusal("a scaler is not described");
        result.push_back(number.get<double>());
      }
      return result;
    };
    const Json name = value.is_object() ? value.value("name", Json()) : Json();
    if (!name.is_string()) throw refusal("a scaler is not described");
    return Scaler(name.get<std::string>(), numbers("center"), numbers("scale"));
  }

  Tensor take(const std::string& name) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) throw refusal("tensor \"" + name + "\" is missing");
    Tensor tensor = found->second;
    tensors_.erase(found);
    return tensor;
  }

  void take_task_tensors(Bundle& bundle) {
    const std::string_view prefix = task_prefix;
    std::erase_if(tensors_, [&](const auto& entry) {
      if (!entry.first.starts_with(prefix)) return false;
      bundle.tensors.emplace_back(entry.first.substr(prefix.size()), entry.second);
      return true;
    });
  }

  void set_weights(Model& model, const Json& trainable) {
    DType dtype = DType::float32;
    std::vector<std::pair<Parameter*, Tensor>> all;
    const auto layers = io::layers_of(model);
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const std::vector<std::string> names = io::weight_names(*layers[l]);
      const auto parameters = layers[l]->parameters();
      if (!parameters.empty())
        restore_trainable(parameters, trainable.value(layers[l]->name, Json()));
      for (std::size_t i = 0; i < names.size(); ++i) {
        Tensor tensor = take_weight(names[i]);
        check_weight(names[i], tensor, parameters[i]->shape());
        if (!all.empty() && tensor.dtype() != dtype) throw refusal("weights of different types");
        dtype = tensor.dtype();
        all.emplace_back(parameters[i], std::move(tensor));
      }
    }
    if (dtype == DType::float64) model.set_dtype(dtype);
    for (auto& [parameter, tensor] : all) parameter->assign(tensor);
  }

  static void check_weight(const std::string& name, const Tensor& tensor, const Shape& shape) {
    const bool real = tensor.dtype() == DType::float32 || tensor.dtype() == DType::float64;
    if (!real || tensor.shape() != shape) {
      throw refusal("weight \"" + name + "\" does not fit its layer",
                    {.got = tensor.describe(), .want = "float32 or float64 " + shape.to_string()});
    }
    if (!finite(tensor)) {
      throw refusal("weight \"" + name + "\" is not all numbers", {.got = "nan or infinity"});
    }
  }

  static void restore_trainable(const std::vector<Parameter*>& parameters, const Json& flags) {
    const bool fits = flags.is_array() && flags.size() == parameters.size() &&
                      std::ranges::all_of(flags, [](const Json& f) { return f.is_boolean(); });
    if (!fits) throw refusal("\"trainable\" does not have a flag for each weight");
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      parameters[i]->trainable = flags[i].get<bool>();
    }
  }

  /// Whether the outputs of the sample are what they were when it was saved.
  void replay(Bundle& bundle) {
    std::vector<Tensor> wanted;
    while (tensors_.contains(sample_name("input", bundle.sample.size()))) {
      bundle.sample.push_back(take(sample_name("input", bundle.sample.size())));
    }
    while (tensors_.contains(sample_name("output", wanted.size()))) {
      wanted.push_back(take(sample_name("output", wanted.size())));
    }
    if (bundle.sample.empty() && wanted.empty()) return;
    check_cost(bundle);
    Session session;
    const Tensors got = bundle.model.predict(session, bundle.sample);
    if (got.size() != wanted.size()) throw refusal("the sample has another number of outputs");
    for (std::size_t i = 0; i < got.size(); ++i) compare(got[i], wanted[i]);
  }

  static void check_cost(const Bundle& bundle) {
    if (bundle.sample.size() != bundle.model.inputs().size()) {
      throw refusal("the sample has another number of inputs");
    }
    double rows = 1, longest = 1;
    for (const Tensor& input : bundle.sample) {
      if (input.rank() > 0) rows = std::max(rows, static_cast<double>(input.shape()[0]));
      for (int axis = 1; axis < input.rank(); ++axis) {
        longest = std::max(longest, static_cast<double>(input.shape()[axis]));
      }
    }
    double numbers = 0;
    for (const LayerImpl* layer : bundle.model.impl().built_graph().all_layers()) {
      const auto node = layer->first_use.lock();
      for (std::size_t i = 0; node != nullptr && i < node->shapes.size(); ++i) {
        double row = rows;
        for (int axis = 1; axis < node->shapes[i].rank(); ++axis) {
          const Index size = node->shapes[i][axis];
          row *= size == unknown ? longest : static_cast<double>(size);
        }
        numbers += row;
      }
    }
    if (numbers > most_replayed) throw refusal("the sample is too large to be run again");
  }

  static void compare(const Tensor& got, const Tensor& want) {
    if (got.shape() != want.shape() || got.dtype() != want.dtype()) {
      throw refusal("the model gives an output of another shape than when it was saved",
                    {.got = got.describe(), .want = want.describe()});
    }
    const Tensor a = got.to(DType::float64), b = want.to(DType::float64);
    for (std::size_t i = 0; i < a.values<double>().size(); ++i) {
      const double is = a.values<double>()[i], was = b.values<double>()[i];
      if (std::abs(is - was) <= tolerance * std::max(1.0, std::abs(was))) continue;
      throw refusal("the model gives other outputs than when it was saved",
                    {.got = std::to_string(is), .want = std::to_string(was)});
    }
  }

  std::map<std::string, Tensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

template <class T>
const T& entry(const std::vector<std::pair<std::string, T>>& list, std::string_view name,
               const char* what) {
  const auto found = std::ranges::find(list, name, &std::pair<std::string, T>::first);
  if (found != list.end()) return found->second;
  throw Error(ErrorKind::format,
              std::string("the bundle has no ") + what + " \"" + std::string(name) + "\"");
}

}  // namespace

const Scaler& Bundle::scaler(std::string_view name) const { return entry(scalers, name, "scaler"); }
const std::string& Bundle::property(std::string_view name) const {
  return entry(properties, name, "property");
}
const Tensor& Bundle::tensor(std::string_view name) const { return entry(tensors, name, "tensor"); }

std::string write_bundle(const Bundle& bundle) {
  if (bundle.weights != WeightType::float32 && bundle.model.impl().dtype != DType::float32) {
    throw Error(ErrorKind::unsupported, "a model of float64 is kept in float64 only",
                {.got = std::string(io::to_string(bundle.weights))});
  }
  io::TensorFile file;
  // Weights of a model that has never run begin now.
  static_cast<void>(bundle.model.get_weights());
  file.metadata[manifest_key] = to_json(bundle).dump();
  add_weights(bundle, file);
  for (const auto& [name, tensor] : bundle.tensors) {
    file.tensors.emplace_back(task_prefix + name, tensor);
  }
  add_sample(bundle, file);
  return io::write_safetensors(file);
}

Bundle parse_bundle(std::string_view bytes, std::string_view name) {
  const std::string title(name);
  io::TensorFile file = io::parse_safetensors(bytes, title);
  try {
    return BundleReader(std::move(file)).read();
  } catch (const Error& error) {
    // Whatever a layer or scaler finds wrong, it is this file that is.
    throw Error(ErrorKind::format, title + ": " + error.summary(), error.details());
  }
}

void save_bundle(const Bundle& bundle, const std::string& path) {
  io::write_file(path, write_bundle(bundle));
}

Bundle load_bundle(const std::string& path) {
  return parse_bundle(io::read_file(path, most_bytes), path);
}

}  // namespace unroll
