// Optimisers that keep running means of the gradient: Adam and its relatives.
#include <algorithm>
#include <cmath>

#include "src/kernels/update.h"
#include "src/training/steps.h"

namespace unroll::training {
namespace {

double power(double base, Index exponent) { return std::pow(base, static_cast<double>(exponent)); }

template <class Option>
Slots adam_slots(const Option& o) noexcept {
  Slots slots;
  slots.add("momentum");
  slots.add("velocity");
  if (o.amsgrad) slots.add("velocity_hat");
  return slots;
}

template <class Option, class T>
void adam_step(const Option& o, const Step<T>& s) {
  const double alpha =
      s.rate * std::sqrt(1 - power(o.beta_2, s.iteration)) / (1 - power(o.beta_1, s.iteration));
  kernels::update_adam(s.n, static_cast<T>(alpha), static_cast<T>(o.beta_1),
                       static_cast<T>(o.beta_2), static_cast<T>(o.epsilon), s.g, s.w, s.slots[0],
                       s.slots[1], o.amsgrad ? s.slots[2] : nullptr);
}

/// Nadam's momentum of a step.
double nadam_momentum(const Nadam& o, Index iteration) {
  return o.beta_1 * (1 - 0.5 * power(0.96, iteration));
}

/// The product of the momenta of steps 1 to `iteration`. After 1,000 steps they are beta_1 to the
/// last bit, so the rest is a power.
double nadam_product(const Nadam& o, Index iteration) {
  constexpr Index most = 1000;
  double product = 1;
  for (Index t = 1; t <= std::min(iteration, most); ++t) product *= nadam_momentum(o, t);
  return product * power(o.beta_1, std::max<Index>(iteration - most, 0));
}

}  // namespace

Slots slots(const Adam& o) noexcept { return adam_slots(o); }
template <class T>
void step(const Adam& o, const Step<T>& s) {
  adam_step(o, s);
}
UNROLL_INSTANTIATE_STEP(Adam);

Slots slots(const AdamW& o) noexcept { return adam_slots(o); }
template <class T>
void step(const AdamW& o, const Step<T>& s) {
  adam_step(o, s);
}
UNROLL_INSTANTIATE_STEP(AdamW);

Slots slots(const Adamax&) noexcept {
  Slots slots;
  slots.add("momentum");
  slots.add("norm");
  return slots;
}

template <class T>
void step(const Adamax& o, const Step<T>& s) {
  const T alpha = static_cast<T>(s.rate / (1 - power(o.beta_1, s.iteration)));
  const T beta_1 = static_cast<T>(o.beta_1), beta_2 = static_cast<T>(o.beta_2);
  const T epsilon = static_cast<T>(o.epsilon);
  T *m = s.slots[0], *u = s.slots[1];
  for (Index i = 0; i < s.n; ++i) {
    m[i] += (s.g[i] - m[i]) * (1 - beta_1);
    u[i] = std::max(beta_2 * u[i], std::abs(s.g[i]));
    s.w[i] -= alpha * m[i] / (u[i] + epsilon);
  }
}
UNROLL_INSTANTIATE_STEP(Adamax);

Slots slots(const Nadam&) noexcept {
  Slots slots;
  slots.add("momentum");
  slots.add("velocity");
  return slots;
}

template <class T>
void step(const Nadam& o, const Step<T>& s) {
  const double now = nadam_momentum(o, s.iteration), next = nadam_momentum(o, s.iteration + 1);
  const double product = nadam_product(o, s.iteration);
  const T by_m = static_cast<T>(next / (1 - product * next));
  const T by_g = static_cast<T>((1 - now) / (1 - product));
  const T by_v = static_cast<T>(1 / (1 - power(o.beta_2, s.iteration)));
  const T rate = static_cast<T>(s.rate), epsilon = static_cast<T>(o.epsilon);
  const T beta_1 = static_cast<T>(o.beta_1), beta_2 = static_cast<T>(o.beta_2);
  T *m = s.slots[0], *v = s.slots[1];
  for (Index i = 0; i < s.n; ++i) {
    const T g = s.g[i];
    m[i] += (g - m[i]) * (1 - beta_1);
    v[i] += (g * g - v[i]) * (1 - beta_2);
    s.w[i] -= rate * (by_m * m[i] + by_g * g) / (std::sqrt(by_v * v[i]) + epsilon);
  }
}
UNROLL_INSTANTIATE_STEP(Nadam);

Slots slots(const Lion&) noexcept {
  Slots slots;
  slots.add("momentum");
  return slots;
}

template <class T>
void step(const Lion& o, const Step<T>& s) {
  const T rate = static_cast<T>(s.rate);
  const T beta_1 = static_cast<T>(o.beta_1), beta_2 = static_cast<T>(o.beta_2);
  T* m = s.slots[0];
  for (Index i = 0; i < s.n; ++i) {
    const T g = s.g[i], direction = beta_1 * m[i] + (1 - beta_1) * g;
    s.w[i] -= rate * static_cast<T>((direction > 0) - (direction < 0));
    m[i] = beta_2 * m[i] + (1 - beta_2) * g;
  }
}
UNROLL_INSTANTIATE_STEP(Lion);

}  // namespace unroll::training
