#include "tests/layers/rig.h"

#include <algorithm>
#include <cmath>

#include "src/autograd/dispatch.h"
#include "src/base/random.h"

namespace unroll {

namespace {

Tensor turned(const Tensor& x) {
  Tape tape(x.dtype(), false);
  return swap_first_axes(tape.constant(x)).tensor();
}

bool is_sequence(const Tensor& x) { return x.rank() >= 3; }

double product(const Tensor& a, const Tensor& b) {
  double total = 0;
  with_float(a.dtype(), [&]<class T>() {
    for (std::size_t i = 0; i < a.values<T>().size(); ++i) {
      total += static_cast<double>(a.values<T>()[i]) * static_cast<double>(b.values<T>()[i]);
    }
  });
  return total;
}

}  // namespace

Tensor noise(const Shape& shape, std::uint64_t seed, DType dtype) {
  Tensor x(shape, DType::float64);
  const base::Random random(seed);
  auto values = x.values<double>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 2 * random.uniform(i) - 1;
  return x.to(dtype);
}

Tensor mask_of(const Shape& shape, std::initializer_list<int> kept) {
  Tensor mask(shape, DType::uint8);
  std::ranges::transform(kept, mask.values<std::uint8_t>().begin(),
                         [](int k) { return static_cast<std::uint8_t>(k); });
  return mask;
}

void fill_weights(const Layer& layer, DType dtype) {
  std::uint64_t seed = 100;
  for (Parameter* parameter : layer.impl().parameters()) {
    parameter->move_to(Tensor(parameter->shape(), dtype));
    parameter->assign(noise(parameter->shape(), seed++));
  }
}

Layer built(const Example& example, DType dtype) {
  Layer layer = example.make();
  std::vector<Shape> shapes;
  for (const Tensor& x : example.inputs) shapes.push_back(x.shape().without(0).with(0, unknown));
  layer.impl().build_once(shapes);
  fill_weights(layer, dtype);
  return layer;
}

Outcome run(const Layer& layer, const Example& example, const How& how) {
  const Index batch = example.inputs[0].shape()[0];
  const Index first = how.first_row, last = how.last_row < 0 ? batch : how.last_row;
  const DType dtype = layer.impl().parameters().empty()
                          ? example.inputs[0].dtype()
                          : layer.impl().parameters()[0]->value().dtype();
  Tape tape(dtype, how.gradients);
  TestCall call(tape, last - first, first, example.training);
  call.set_states(how.states);
  std::vector<Tensor> held;  // what the tape reads must live as long
  held.reserve(2 * example.inputs.size());
  Vars inputs;
  for (const Tensor& x : example.inputs) {
    const Tensor rows = x.rows(first, last).to(dtype);
    const bool turn = how.time_first && is_sequence(x);
    held.push_back(turn ? turned(rows) : rows);
    inputs.push_back(tape.variable(held.back()).set_time_first(turn));
  }
  for (const Tensor& mask : example.masks) {
    if (mask.empty()) {
      call.add_mask({});
      continue;
    }
    held.push_back(turned(mask.rows(first, last)));
    call.add_mask({held.back().values<std::uint8_t>().data(), mask.shape()[1], last - first});
  }
  const Vars outputs = layer.impl().call(call, inputs);

  Outcome result;
  std::uint64_t seed = 500;
  for (const Var& y : outputs) {
    const Tensor value = y.time_first() ? turned(y.tensor()) : y.tensor();
    const Tensor weights = noise(value.shape(), seed++, dtype);
    result.loss += product(value, weights);
    result.outputs.push_back(value);
    if (!how.gradients || !y.needs_gradient()) continue;
    const Tensor d = y.time_first() ? turned(weights) : weights;
    with_float(dtype, [&]<class T>() { std::ranges::copy(d.values<T>(), y.gradient<T>()); });
  }
  if (const Mask mask =
          layer.impl().mask_rule() == MaskRule::pass ? call.mask() : call.out_mask()) {
    result.kept.assign(mask.data, mask.data + mask.time * mask.rows);
    result.mask = {result.kept.data(), mask.time, mask.rows};
  }
  if (!how.gradients) return result;
  tape.backward();
  for (const Var& x : inputs) {
    const Tensor d = tape.gradient(x);
    result.d_inputs.push_back(x.time_first() ? turned(d) : d);
  }
  for (const Parameter* parameter : layer.impl().parameters()) {
    result.d_weights.push_back(tape.gradient(call.use(*parameter)));
  }
  return result;
}

double worst_gradient(const Example& example, bool time_first) {
  const Layer layer = built(example);
  const Outcome analytic = run(layer, example, {.time_first = time_first, .gradients = true});
  double worst = 0;
  const auto compare = [&](std::span<double> numbers, const Tensor& gradient, auto changed) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const double before = numbers[i], h = 1e-5;
      double loss[2];
      for (int side = 0; side < 2; ++side) {
        numbers[i] = before + (side == 0 ? h : -h);
        changed();
        loss[side] = run(layer, example, {.time_first = time_first}).loss;
      }
      numbers[i] = before;
      changed();
      const double numeric = (loss[0] - loss[1]) / (2 * h), got = gradient.values<double>()[i];
      worst = std::max(worst, std::abs(got - numeric) / std::max(1.0, std::abs(numeric)));
    }
  };
  for (std::size_t i = 0; i < example.inputs.size(); ++i) {
    Tensor shared = example.inputs[i];
    compare(shared.values<double>(), analytic.d_inputs[i], [] {});
  }
  std::size_t at = 0;
  for (Parameter* parameter : layer.impl().parameters()) {
    Tensor value = parameter->value();
    compare(value.values<double>(), analytic.d_weights[at++], [&] { parameter->touch(); });
  }
  return worst;
}

}  // namespace unroll
