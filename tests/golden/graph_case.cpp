// Kind "graph": layers run once, forward and back, on a lane.
#include <algorithm>

#include "src/autograd/dispatch.h"
#include "src/model/lane.h"
#include "tests/golden/cases.h"
#include "tests/gradient_of.h"

namespace unroll::golden {

namespace {

/// A lane over the whole batch, with what is needed to ask for gradients.
class Run {
 public:
  Run(const Recorded& recorded, Network& network)
      : recorded_(recorded),
        network_(network),
        graph_(network.inputs, network.outputs),
        lane_(graph_, recorded.dtype) {
    load_weights(recorded, network);
    graph_.number();
    flat_.bind(graph_.parameters(), recorded.dtype);
    for (const auto& layer : graph_.layers()) layer->prepare(recorded.dtype, true);
  }

  void forward() {
    const RunMode mode{.training = network_.training, .recording = true};
    gradient_.begin(flat_);
    lane_.start(mode, 0, input(0).shape()[0], &flat_, &gradient_);
    for (std::size_t i = 0; i < network_.inputs.size(); ++i) {
      const bool real = input(i).dtype() == DType::float32;
      inputs_.push_back(real ? lane_.tape().variable(input(i)) : lane_.tape().constant(input(i)));
      lane_.set_input(i, inputs_.back());
    }
    lane_.forward();
    for (std::size_t i = 0; i < network_.outputs.size(); ++i) {
      const Var y = lane_.output(i);
      outputs_.push_back(y.time_first() ? swap_first_axes(y) : y);
    }
  }

  void compare_outputs(Comparison& comparison, const Tolerance& allowed) {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const std::string at = std::to_string(i);
      comparison.close("out/" + at, outputs_[i].tensor(), recorded_.result("out/" + at), allowed);
      const auto want = recorded_.tensors.find("outmask/" + at);
      const Mask mask = lane_.output_mask(i);
      const bool masked = want != recorded_.tensors.end();
      if (masked != bool(mask)) {
        comparison.fail("outmask/" + at + (masked ? " is missing" : " should not be there"));
      } else if (masked) {
        comparison.equal("outmask/" + at, batch_first(mask), want->second);
      }
    }
  }

  void backward() {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const auto d = recorded_.tensors.find("cot/" + std::to_string(i));
      if (d == recorded_.tensors.end() || !outputs_[i].needs_gradient()) continue;
      with_float(recorded_.dtype, [&]<class T>() {
        const Tensor same = d->second.to(recorded_.dtype);
        // Added: an output and a state may be one value.
        T* dy = outputs_[i].gradient<T>();
        for (T number : same.values<T>()) *dy++ += number;
      });
    }
    lane_.backward();
  }

  void compare_gradients(Comparison& comparison, const Tolerance& allowed) {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const std::string key = "grad/in/" + network_.input_names[i];
      if (!recorded_.tensors.contains(key)) continue;
      comparison.close(key, lane_.tape().gradient(inputs_[i]), recorded_.result(key), allowed);
    }
    for_each_weight([&](const std::string& key, const Parameter& weight) {
      if (!weight.trainable) return;
      comparison.close("grad/" + key, gradient_of(weight, gradient_, flat_),
                       recorded_.result("grad/" + key), allowed);
    });
  }

  /// Weights that a training call moves.
  void compare_moved(Comparison& comparison, const Tolerance& allowed) {
    for_each_weight([&](const std::string& key, const Parameter& weight) {
      if (!recorded_.tensors.contains("after/" + key)) return;
      comparison.close("after/" + key, weight.value(), recorded_.result("after/" + key), allowed);
    });
  }

 private:
  const Tensor& input(std::size_t i) const {
    return recorded_.tensors.at("in/" + network_.input_names[i]);
  }

  template <class F>
  void for_each_weight(F f) const {
    for (const auto& [name, layer] : network_.layers) {
      std::size_t i = 0;
      for (const Parameter* weight : layer.impl().parameters()) {
        f("w/" + name + "/" + std::to_string(i++), *weight);
      }
    }
  }

  static Tensor batch_first(const Mask& mask) {
    Tensor turned({mask.rows, mask.time}, DType::uint8);
    for (Index t = 0; t < mask.time; ++t) {
      for (Index r = 0; r < mask.rows; ++r) {
        turned.values<std::uint8_t>()[static_cast<std::size_t>(r * mask.time + t)] =
            mask.data[t * mask.rows + r];
      }
    }
    return turned;
  }

  const Recorded& recorded_;
  Network& network_;
  Graph graph_;
  Lane lane_;
  LaneGradient gradient_;
  FlatWeights flat_;
  std::vector<Var> inputs_, outputs_;
};

}  // namespace

void run_graph(const Recorded& recorded, Comparison& comparison) {
  std::vector<std::pair<std::string, Shape>> inputs;
  for (const Json& input : recorded.spec.at("inputs")) {
    inputs.emplace_back(input.at("name").get<std::string>(), shape_of(input.at("shape")));
  }
  Network network = make_network(recorded.spec, inputs);
  const Tolerances allowed = tolerances_of(recorded.name, recorded.dtype);
  Run run(recorded, network);
  run.forward();
  run.compare_outputs(comparison, allowed.outputs);
  run.compare_moved(comparison, allowed.outputs);
  if (!recorded.spec.at("gradients").get<bool>()) return;
  run.backward();
  run.compare_gradients(comparison, allowed.gradients);
}

}  // namespace unroll::golden
