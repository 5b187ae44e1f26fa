// The kinds of cases, one function each.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "tests/golden/layer_spec.h"
#include "tests/golden/report.h"
#include "tests/golden/safetensors.h"

namespace unroll::golden {

/// One case as it was recorded.
struct Recorded {
  std::string name;  ///< "rnn/lstm_basic"
  Json spec;
  TensorMap tensors;
  DType dtype = DType::float32;  ///< in which the case is computed

  /// The result of a name in this case's precision.
  const Tensor& result(const std::string& key) const {
    return tensors.at(dtype == DType::float64 ? key + ".f64" : key);
  }
};

/// What a case's nodes make: symbols and layers by the names of nodes and inputs.
struct Network {
  Symbols inputs, outputs;
  std::vector<std::string> input_names;
  std::map<std::string, Layer> layers;
  bool training = false;
};
/// `inputs`: names and whole shapes, in order. Throws: Skip.
Network make_network(const Json& spec, const std::vector<std::pair<std::string, Shape>>& inputs);

/// Gives the layers their recorded weights, in the precision of the case.
void load_weights(const Recorded& recorded, Network& network);

void run_graph(const Recorded& recorded, Comparison& comparison);
void run_stateful(const Recorded& recorded, Comparison& comparison);
void run_training(const Recorded& recorded, Comparison& comparison);

// Cases of the single files, each an entry of "cases".
void run_loss(const Json& spec, DType dtype, Comparison& comparison);
void run_metric(const Json& spec, DType dtype, Comparison& comparison);
void run_optimizer(const Json& spec, DType dtype, Comparison& comparison);
void run_schedule(const Json& spec, DType dtype, Comparison& comparison);
void run_initializer(const Json& spec, DType dtype, Comparison& comparison);
/// These cases have no names; what tells them apart.
std::string initializer_case_name(const Json& spec);

/// One recorded table of summary/: NAME.json says of which model.
void run_summary(const Json& spec, const Json& variant, const std::filesystem::path& recorded,
                 Comparison& comparison);

/// A file of text/: its cases.
void run_texts(const Json& whole, const std::string& only, Report& report);

/// activations.json: a case for each function.
void run_activations(const std::filesystem::path& file, DType dtype, const std::string& only,
                     Report& report);

}  // namespace unroll::golden
