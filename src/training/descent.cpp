// Optimisers that scale the gradient by one number, or by what they saw of its size.
#include <algorithm>
#include <cmath>

#include "src/kernels/update.h"
#include "src/training/steps.h"

namespace unroll::training {

Slots slots(const SGD& o) noexcept {
  Slots slots;
  if (o.momentum != 0) slots.add("momentum");
  return slots;
}

template <class T>
void step(const SGD& o, const Step<T>& s) {
  kernels::update_sgd(s.n, static_cast<T>(s.rate), static_cast<T>(o.momentum), o.nesterov, s.g, s.w,
                      o.momentum != 0 ? s.slots[0] : nullptr);
}
UNROLL_INSTANTIATE_STEP(SGD);

Slots slots(const RMSprop& o) noexcept {
  Slots slots;
  slots.add("velocity");
  if (o.momentum > 0) slots.add("momentum");
  if (o.centered) slots.add("average_gradient");
  return slots;
}

template <class T>
void step(const RMSprop& o, const Step<T>& s) {
  const bool moves = o.momentum > 0;
  kernels::update_rmsprop(s.n, static_cast<T>(s.rate), static_cast<T>(o.rho),
                          static_cast<T>(o.momentum), static_cast<T>(o.epsilon), s.g, s.w,
                          s.slots[0], o.centered ? s.slots[moves ? 2 : 1] : nullptr,
                          moves ? s.slots[1] : nullptr);
}
UNROLL_INSTANTIATE_STEP(RMSprop);

Slots slots(const Adagrad& o) noexcept {
  Slots slots;
  slots.add("accumulator", o.initial_accumulator_value);
  return slots;
}

template <class T>
void step(const Adagrad& o, const Step<T>& s) {
  const T rate = static_cast<T>(s.rate), epsilon = static_cast<T>(o.epsilon);
  T* a = s.slots[0];
  for (Index i = 0; i < s.n; ++i) {
    a[i] += s.g[i] * s.g[i];
    s.w[i] -= rate * s.g[i] / std::sqrt(a[i] + epsilon);
  }
}
UNROLL_INSTANTIATE_STEP(Adagrad);

Slots slots(const Adadelta&) noexcept {
  Slots slots;
  slots.add("accumulated_grad");
  slots.add("accumulated_delta_var");
  return slots;
}

template <class T>
void step(const Adadelta& o, const Step<T>& s) {
  const T rate = static_cast<T>(s.rate), rho = static_cast<T>(o.rho);
  const T epsilon = static_cast<T>(o.epsilon);
  T *squares = s.slots[0], *steps = s.slots[1];
  for (Index i = 0; i < s.n; ++i) {
    const T g = s.g[i];
    squares[i] = rho * squares[i] + (1 - rho) * g * g;
    const T delta = std::sqrt(steps[i] + epsilon) * g / std::sqrt(squares[i] + epsilon);
    steps[i] = rho * steps[i] + (1 - rho) * delta * delta;
    s.w[i] -= rate * delta;
  }
}
UNROLL_INSTANTIATE_STEP(Adadelta);

Slots slots(const Ftrl& o) noexcept {
  Slots slots;
  slots.add("accumulator", o.initial_accumulator_value);
  slots.add("linear");
  return slots;
}

template <class T>
void step(const Ftrl& o, const Step<T>& s) {
  const double l2 = o.l2_regularization_strength + o.beta / (2 * s.rate);
  const T rate = static_cast<T>(s.rate), power = static_cast<T>(-o.learning_rate_power);
  const T l1 = static_cast<T>(o.l1_regularization_strength);
  const T shrinkage = static_cast<T>(2 * o.l2_shrinkage_regularization_strength);
  T *a = s.slots[0], *linear = s.slots[1];
  for (Index i = 0; i < s.n; ++i) {
    const T g = s.g[i], next = a[i] + g * g, grown = std::pow(next, power);
    linear[i] += g + shrinkage * s.w[i] - (grown - std::pow(a[i], power)) / rate * s.w[i];
    const T clipped = std::min(std::max(linear[i], -l1), l1);
    s.w[i] = (clipped - linear[i]) / (grown / rate + static_cast<T>(2 * l2));
    a[i] = next;
  }
}
UNROLL_INSTANTIATE_STEP(Ftrl);

}  // namespace unroll::training
