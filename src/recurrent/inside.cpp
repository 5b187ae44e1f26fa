#include "src/recurrent/inside.h"

#include <array>
#include <limits>

#include "src/autograd/dispatch.h"
#include "src/kernels/vector.h"

namespace unroll {

namespace {

using Numbers = std::vector<double>;
using kernels::CellKind;

Numbers numbers_of(const Parameter* parameter) {
  if (parameter == nullptr) return {};
  const Tensor exact = parameter->value().to(DType::float64);
  return {exact.values<double>().begin(), exact.values<double>().end()};
}

/// The weights of a cell and what it does with one row at one step.
class Stepper {
 public:
  explicit Stepper(const FusedCell& cell)
      : shape_(cell.kernel_shape()),
        kernel_(numbers_of(cell.weights().kernel)),
        recurrent_(numbers_of(cell.weights().recurrent_kernel)),
        bias_(numbers_of(cell.weights().bias)) {}

  const kernels::RecurrentShape& shape() const { return shape_; }

  /// The cell's quantities in the order of names(); states first. `states` are replaced.
  std::vector<Numbers> step(const Numbers& x, std::vector<Numbers>& states) const {
    switch (shape_.cell) {
      case CellKind::simple_rnn:
        return simple_rnn(x, states);
      case CellKind::lstm:
        return lstm(x, states);
      default:
        return gru(x, states);
    }
  }

 private:
  Index units() const { return shape_.units; }
  Index width() const { return kernels::gates(shape_.cell) * units(); }

  /// v W for columns [first, first + count) of a matrix with `width()` columns, added to `to`.
  void add_product(const Numbers& v, const Numbers& matrix, Index first, Index count,
                   double* to) const {
    for (std::size_t k = 0; k < v.size(); ++k) {
      const double* row = matrix.data() + static_cast<Index>(k) * width() + first;
      for (Index j = 0; j < count; ++j) to[j] += v[k] * row[j];
    }
  }
  /// The first row of the bias, or zeros.
  Numbers begin() const {
    Numbers sums(static_cast<std::size_t>(width()), 0.0);
    for (std::size_t j = 0; j < sums.size() && !bias_.empty(); ++j) sums[j] = bias_[j];
    return sums;
  }
  Numbers activated(const Activation& activation, const Numbers& sums, Index gate) const {
    Numbers result(static_cast<std::size_t>(units()));
    kernels::activate(activation, Index{1}, units(), sums.data() + gate * units(), result.data());
    return result;
  }
  Numbers activated(const Activation& activation, const Numbers& sums) const {
    return activated(activation, sums, 0);
  }

  std::vector<Numbers> simple_rnn(const Numbers& x, std::vector<Numbers>& states) const {
    Numbers sums = begin();
    add_product(x, kernel_, 0, width(), sums.data());
    add_product(states[0], recurrent_, 0, width(), sums.data());
    states[0] = activated(shape_.activation, sums);
    return {states[0]};
  }

  std::vector<Numbers> gru(const Numbers& x, std::vector<Numbers>& states) const {
    const Index U = units();
    Numbers& h = states[0];
    Numbers sums = begin();
    add_product(x, kernel_, 0, width(), sums.data());
    add_product(h, recurrent_, 0, 2 * U, sums.data());
    const bool after = shape_.cell == CellKind::gru_reset_after;
    for (Index j = 0; after && !bias_.empty() && j < 2 * U; ++j) {
      sums[static_cast<std::size_t>(j)] += bias_[static_cast<std::size_t>(width() + j)];
    }
    const Numbers z = activated(shape_.recurrent_activation, sums, 0);
    const Numbers r = activated(shape_.recurrent_activation, sums, 1);
    Numbers past(static_cast<std::size_t>(U), 0.0);
    if (after) {
      for (Index j = 0; !bias_.empty() && j < U; ++j) {
        past[static_cast<std::size_t>(j)] = bias_[static_cast<std::size_t>(width() + 2 * U + j)];
      }
      add_product(h, recurrent_, 2 * U, U, past.data());
      for (std::size_t j = 0; j < past.size(); ++j) past[j] *= r[j];
    } else {
      Numbers reset = h;
      for (std::size_t j = 0; j < reset.size(); ++j) reset[j] *= r[j];
      add_product(reset, recurrent_, 2 * U, U, past.data());
    }
    for (std::size_t j = 0; j < past.size(); ++j)
      past[j] += sums[static_cast<std::size_t>(2 * U) + j];
    const Numbers c = activated(shape_.activation, past);
    for (std::size_t j = 0; j < h.size(); ++j) h[j] = z[j] * h[j] + (1 - z[j]) * c[j];
    return {h, z, r, c};
  }

  std::vector<Numbers> lstm(const Numbers& x, std::vector<Numbers>& states) const {
    Numbers sums = begin();
    add_product(x, kernel_, 0, width(), sums.data());
    add_product(states[0], recurrent_, 0, width(), sums.data());
    const Numbers i = activated(shape_.recurrent_activation, sums, 0);
    const Numbers f = activated(shape_.recurrent_activation, sums, 1);
    const Numbers g = activated(shape_.activation, sums, 2);
    const Numbers o = activated(shape_.recurrent_activation, sums, 3);
    Numbers& c = states[1];
    for (std::size_t j = 0; j < c.size(); ++j) c[j] = f[j] * c[j] + i[j] * g[j];
    states[0] = activated(shape_.activation, c);
    for (std::size_t j = 0; j < c.size(); ++j) states[0][j] *= o[j];
    return {states[0], c, i, f, g, o};
  }

  kernels::RecurrentShape shape_;
  Numbers kernel_, recurrent_, bias_;
};

std::vector<Inside> names_of(const kernels::RecurrentShape& shape) {
  const auto bounded = [](const char* name, const Activation& activation) {
    const double low = activation == Activation("tanh") ? -1 : 0;
    const bool squashes = activation == Activation("tanh") || activation == Activation("sigmoid") ||
                          activation == Activation("hard_sigmoid");
    return Inside{name, {}, low, squashes ? 1.0 : 0.0};
  };
  const Activation &act = shape.activation, &gate = shape.recurrent_activation;
  switch (shape.cell) {
    case CellKind::simple_rnn:
      return {bounded("hidden", act)};
    case CellKind::lstm:
      return {bounded("hidden", act),      {"cell", {}, 0, 0},
              bounded("input_gate", gate), bounded("forget_gate", gate),
              bounded("candidate", act),   bounded("output_gate", gate)};
    default:
      return {bounded("hidden", act), bounded("update_gate", gate), bounded("reset_gate", gate),
              bounded("candidate", act)};
  }
}

/// Walks one row; `place(step, quantities)` is told of the steps that count.
template <class T, class Place>
void walk(const Stepper& stepper, const T* x, Index T_, Index rows, Index row, const Mask& mask,
          bool backwards, const Place& place) {
  const Index F = stepper.shape().features;
  const std::size_t count = stepper.shape().cell == CellKind::lstm ? 2 : 1;
  std::vector<Numbers> states(count, Numbers(static_cast<std::size_t>(stepper.shape().units), 0.0));
  for (Index s = 0; s < T_; ++s) {
    const Index t = backwards ? T_ - 1 - s : s;
    if (mask && mask.data[t * rows + row] == 0) continue;
    const T* in = x + (t * rows + row) * F;
    place(t, stepper.step(Numbers(in, in + F), states));
  }
}

}  // namespace

std::vector<Inside> inside(const WalkerImpl& layer, const Var& x, const Mask& mask) {
  const auto* cell = dynamic_cast<const FusedCell*>(layer.cell().get());
  if (cell == nullptr) return {};
  const Stepper stepper(*cell);
  const Index T = x.shape()[0], rows = x.shape()[1], U = stepper.shape().units;
  std::vector<Inside> parts = names_of(stepper.shape());
  for (Inside& part : parts) {
    part.values = Tensor({rows, T, U});
    std::ranges::fill(part.values.values<float>(), std::numeric_limits<float>::quiet_NaN());
  }
  with_float(x.dtype(), [&]<class Number>() {
    for (Index row = 0; row < rows; ++row) {
      walk(stepper, x.data<Number>(), T, rows, row, mask, layer.walk().go_backwards,
           [&](Index t, const std::vector<Numbers>& step) {
             for (std::size_t p = 0; p < parts.size(); ++p) {
               float* to = parts[p].values.floats() + (row * T + t) * U;
               for (const double value : step[p]) *to++ = static_cast<float>(value);
             }
           });
    }
  });
  return parts;
}

}  // namespace unroll
