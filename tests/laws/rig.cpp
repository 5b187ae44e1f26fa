#include "tests/laws/rig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "src/autograd/dispatch.h"
#include "src/base/random.h"
#include "tests/gradient_of.h"

namespace unroll {

Tensor noise(const Shape& shape, std::uint64_t stream, double spread, DType dtype) {
  const base::Random random(2026, stream);
  Tensor numbers(shape, DType::float64);
  std::uint64_t i = 0;
  for (double& v : numbers.values<double>()) v = spread * (2 * random.uniform(i++) - 1);
  return numbers.to(dtype);
}

Rig::Rig(const Symbols& inputs, const Symbols& outputs, std::vector<Tensor> values,
         const Options& options)
    : options_(options), graph_(inputs, outputs), lane_(graph_, options.dtype) {
  for (const Tensor& value : values) {
    const bool real = value.dtype() == DType::float32 || value.dtype() == DType::float64;
    values_.push_back(real ? value.to(options.dtype) : value);
  }
  graph_.number();
  std::uint64_t stream = 100;
  for (Parameter* weight : graph_.parameters()) {
    weight->move_to(Tensor(weight->shape(), options.dtype));
    Tensor numbers = noise(weight->shape(), stream++, 0.6);
    if (weight->name() == "moving_variance") {
      for (double& v : numbers.values<double>()) v = 1 + v;
    }
    weight->assign(numbers);
  }
  flat_.bind(graph_.parameters(), options.dtype);
}

void Rig::run(bool recording) {
  inputs_.clear();
  outputs_.clear();
  for (const auto& layer : graph_.layers()) layer->prepare(options_.dtype, recording);
  const RunMode mode{
      .training = options_.training, .recording = recording, .seed = options_.seed, .step = 3};
  if (recording) gradient_.begin(flat_);
  lane_.start(mode, 0, values_[0].shape()[0], &flat_, recording ? &gradient_ : nullptr);
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const bool real = values_[i].dtype() == options_.dtype;
    inputs_.push_back(real ? lane_.tape().variable(values_[i]) : lane_.tape().constant(values_[i]));
    lane_.set_input(i, inputs_.back());
  }
  lane_.forward();
  for (std::size_t i = 0; i < graph_.outputs().size(); ++i) {
    const Var y = lane_.output(i);
    outputs_.push_back(y.time_first() ? swap_first_axes(y) : y);
  }
}

std::vector<Tensor> Rig::outputs() {
  run(false);
  std::vector<Tensor> tensors;
  for (const Var& y : outputs_) tensors.push_back(y.tensor());
  return tensors;
}

std::vector<Tensor> Rig::output_masks() {
  run(false);
  std::vector<Tensor> masks;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const Mask mask = lane_.output_mask(i);
    masks.push_back(mask ? Tensor({mask.rows, mask.time}, DType::uint8) : Tensor());
    for (Index j = 0; j < (mask ? masks.back().elements() : 0); ++j) {
      masks.back().values<std::uint8_t>()[static_cast<std::size_t>(j)] =
          mask.data[(j % mask.time) * mask.rows + j / mask.time];
    }
  }
  return masks;
}

double Rig::loss() {
  double total = 0;
  std::uint64_t stream = 50;
  for (const Tensor& y : outputs()) {
    const Tensor factor = noise(y.shape(), stream++);
    const Tensor same = y.to(DType::float64);
    for (std::size_t i = 0; i < same.values<double>().size(); ++i) {
      total += same.values<double>()[i] * factor.values<double>()[i];
    }
  }
  return total;
}

std::vector<Tensor> Rig::gradients() {
  run(true);
  std::uint64_t stream = 50;
  for (const Var& y : outputs_) {
    const Tensor factor = noise(y.shape(), stream++, 1, options_.dtype);
    if (!y.needs_gradient()) continue;
    with_float(options_.dtype, [&]<class T>() {
      // Added: an output and a state may be one value.
      T* dy = y.gradient<T>();
      for (T d : factor.values<T>()) *dy++ += d;
    });
  }
  lane_.backward();
  std::vector<Tensor> gradients;
  for (const Var& x : inputs_) {
    if (x.dtype() == options_.dtype) gradients.push_back(lane_.tape().gradient(x));
  }
  for (const Parameter* weight : graph_.parameters()) {
    if (weight->trainable) gradients.push_back(gradient_of(*weight));
  }
  return gradients;
}

Tensor Rig::gradient_of(const Parameter& weight) {
  return unroll::gradient_of(weight, gradient_, flat_);
}

std::vector<Tensor> Rig::variables() {
  std::vector<Tensor> variables;
  for (const Tensor& value : values_) {
    if (value.dtype() == options_.dtype) variables.push_back(value);
  }
  for (const Parameter* weight : graph_.parameters()) {
    if (weight->trainable) variables.push_back(weight->value());
  }
  return variables;
}

void Rig::changed() { flat_.touch(); }

Symbols outputs_of(const Symbol& used) {
  Symbols outputs;
  for (std::size_t i = 0; i < used.node()->shapes.size(); ++i) {
    outputs.push_back(Symbol(used.node(), static_cast<int>(i)));
  }
  return outputs;
}

double distance(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return INFINITY;
  const Tensor x = a.to(DType::float64), y = b.to(DType::float64);
  double worst = 0;
  for (std::size_t i = 0; i < x.values<double>().size(); ++i) {
    const double error = std::abs(x.values<double>()[i] - y.values<double>()[i]);
    worst = std::isnan(error) ? INFINITY : std::max(worst, error);
  }
  return worst;
}

double magnitude(const Tensor& a) { return distance(a, Tensor(a.shape(), DType::float64)); }

double gradient_error(Rig& rig) {
  constexpr double step = 1e-5;
  const std::vector<Tensor> computed = rig.gradients();
  std::vector<Tensor> variables = rig.variables();
  double worst = 0;
  for (std::size_t v = 0; v < variables.size(); ++v) {
    for (std::size_t i = 0; i < variables[v].values<double>().size(); ++i) {
      double& x = variables[v].values<double>()[i];
      const double before = x;
      x = before + step;
      rig.changed();
      const double above = rig.loss();
      x = before - step;
      rig.changed();
      const double below = rig.loss();
      x = before;
      rig.changed();
      const double expected = (above - below) / (2 * step), got = computed[v].values<double>()[i];
      const double size = std::max({std::abs(expected), std::abs(got), 1e-3});
      const double error = std::abs(expected - got) / size;
      worst = std::isnan(error) ? INFINITY : std::max(worst, error);
    }
  }
  return worst;
}

namespace {

/// Prints the worst gradient check after the last test.
class WorstGradient final : public testing::Environment {
 public:
  void note(const std::string& of, double error) {
    ++checks_;
    if (!(error <= worst_)) {
      worst_ = error;
      of_ = of;
    }
  }
  void TearDown() override {
    if (checks_ == 0) return;
    std::printf("gradient checks in float64: %d, the worst relative error %.2e (%s)\n", checks_,
                worst_, of_.c_str());
  }

 private:
  int checks_ = 0;
  double worst_ = 0;
  std::string of_;
};

WorstGradient& worst_gradient() {
  // GoogleTest owns it.
  static auto* const environment =
      static_cast<WorstGradient*>(testing::AddGlobalTestEnvironment(new WorstGradient));
  return *environment;
}

// Before main, as GoogleTest asks for.
[[maybe_unused]] const bool registered = (worst_gradient(), true);

}  // namespace

void note_gradient_error(const std::string& of, double error) { worst_gradient().note(of, error); }

}  // namespace unroll
