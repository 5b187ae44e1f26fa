#include "src/kernels/update.h"

#include <algorithm>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/update.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "src/kernels/map-inl.h"

#ifndef UNROLL_KERNELS_UPDATE_TABLE
#define UNROLL_KERNELS_UPDATE_TABLE
namespace unroll::kernels {
namespace {

template <class T>
struct RmspropNumbers {
  T rate, rho, momentum, epsilon;
};

template <class T>
struct AdamNumbers {
  T alpha, rest1, rest2, epsilon;  // rest: 1 - beta
};

template <class T>
struct UpdateTable {
  void (*sgd)(Index, T, const T*, T*);
  void (*sgd_momentum)(Index, T, T, const T*, T*, T*);
  void (*sgd_nesterov)(Index, T, T, const T*, T*, T*);
  void (*rmsprop)(Index, const RmspropNumbers<T>&, const T*, T*, T*);
  void (*rmsprop_momentum)(Index, const RmspropNumbers<T>&, const T*, T*, T*, T*);
  void (*rmsprop_centered)(Index, const RmspropNumbers<T>&, const T*, T*, T*, T*);
  void (*rmsprop_centered_momentum)(Index, const RmspropNumbers<T>&, const T*, T*, T*, T*, T*);
  void (*adam)(Index, const AdamNumbers<T>&, const T*, T*, T*, T*);
  void (*adam_amsgrad)(Index, const AdamNumbers<T>&, const T*, T*, T*, T*, T*);
};

}  // namespace
}  // namespace unroll::kernels
#endif  // UNROLL_KERNELS_UPDATE_TABLE

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels {
namespace HWY_NAMESPACE {
namespace {

/// op(d, g, w, slots...) changes w and the slots, vector by vector. Each step takes its vectors as
/// references to locals that the compiler keeps in registers.
template <class T, class Op, class... Slots>
HWY_INLINE void Update(Index n, Op op, const T* g, T* w, Slots*... slots) {
  const hn::ScalableTag<T> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  Index i = 0;
  for (; i + lanes <= n; i += lanes) op.Whole(d, g + i, w + i, (slots + i)...);
  if (i < n) op.Some(d, n - i, g + i, w + i, (slots + i)...);
}

/// Loads, calls step and stores, for one, two, three or four vectors that change.
template <class Step>
struct Stepped {
  Step step;

  template <class D, class T>
  HWY_INLINE void Whole(D d, const T* g, T* w) const {
    auto wv = hn::LoadU(d, w);
    step(d, hn::LoadU(d, g), wv);
    hn::StoreU(wv, d, w);
  }
  template <class D, class T>
  HWY_INLINE void Whole(D d, const T* g, T* w, T* a) const {
    auto wv = hn::LoadU(d, w), av = hn::LoadU(d, a);
    step(d, hn::LoadU(d, g), wv, av);
    hn::StoreU(wv, d, w);
    hn::StoreU(av, d, a);
  }
  template <class D, class T>
  HWY_INLINE void Whole(D d, const T* g, T* w, T* a, T* b) const {
    auto wv = hn::LoadU(d, w), av = hn::LoadU(d, a), bv = hn::LoadU(d, b);
    step(d, hn::LoadU(d, g), wv, av, bv);
    hn::StoreU(wv, d, w);
    hn::StoreU(av, d, a);
    hn::StoreU(bv, d, b);
  }
  template <class D, class T>
  HWY_INLINE void Whole(D d, const T* g, T* w, T* a, T* b, T* c) const {
    auto wv = hn::LoadU(d, w), av = hn::LoadU(d, a), bv = hn::LoadU(d, b), cv = hn::LoadU(d, c);
    step(d, hn::LoadU(d, g), wv, av, bv, cv);
    hn::StoreU(wv, d, w);
    hn::StoreU(av, d, a);
    hn::StoreU(bv, d, b);
    hn::StoreU(cv, d, c);
  }

  /// The same for the last few numbers, in padded copies.
  template <class D, class T, class... More>
  HWY_INLINE void Some(D d, Index count, const T* g, More*... changed) const {
    constexpr std::size_t width = hn::MaxLanes(D());
    HWY_ALIGN T copies[sizeof...(More) + 1][width] = {};
    T* const from[] = {changed...};
    std::copy_n(g, count, copies[0]);
    for (std::size_t k = 0; k < sizeof...(More); ++k) std::copy_n(from[k], count, copies[k + 1]);
    Copied<More...>(d, copies, std::make_index_sequence<sizeof...(More)>());
    for (std::size_t k = 0; k < sizeof...(More); ++k) std::copy_n(copies[k + 1], count, from[k]);
  }

 private:
  template <class... More, class D, class Copies, std::size_t... k>
  HWY_INLINE void Copied(D d, Copies& copies, std::index_sequence<k...>) const {
    Whole(d, static_cast<const hn::TFromD<D>*>(copies[0]), copies[k + 1]...);
  }
};

template <class T>
struct SgdStep {
  T rate;
  template <class D, class V>
  HWY_INLINE void operator()(D d, V g, V& w) const {
    w = hn::NegMulAdd(hn::Set(d, rate), g, w);
  }
};

template <class T>
struct MomentumStep {
  T rate, momentum;
  template <class D, class V>
  HWY_INLINE void operator()(D d, V g, V& w, V& v) const {
    v = hn::NegMulAdd(hn::Set(d, rate), g, hn::Mul(hn::Set(d, momentum), v));
    w = hn::Add(w, v);
  }
};

template <class T>
struct NesterovStep {
  T rate, momentum;
  template <class D, class V>
  HWY_INLINE void operator()(D d, V g, V& w, V& v) const {
    const V step = hn::Mul(hn::Set(d, rate), g), m = hn::Set(d, momentum);
    v = hn::MulSub(m, v, step);
    w = hn::Add(w, hn::MulSub(m, v, step));
  }
};

/// rate g / sqrt(...): the part that all four kinds of RMSprop share.
template <class T>
struct RmspropStep {
  RmspropNumbers<T> numbers;

  template <class D, class V>
  HWY_INLINE void operator()(D d, V g, V& w, V& v) const {
    w = hn::Sub(w, Plain(d, g, v));
  }
  template <class D, class V>
  HWY_INLINE V Plain(D d, V g, V& v) const {
    v = Averaged(d, v, hn::Mul(g, g));
    return Step(d, g, v);
  }
  template <class D, class V>
  HWY_INLINE V Centered(D d, V g, V& v, V& mean) const {
    v = Averaged(d, v, hn::Mul(g, g));
    mean = Averaged(d, mean, g);
    return Step(d, g, hn::NegMulAdd(mean, mean, v));
  }
  template <class D, class V>
  HWY_INLINE V Momentum(D d, V step, V& m) const {
    m = hn::MulAdd(hn::Set(d, numbers.momentum), m, step);
    return m;
  }

 private:
  template <class D, class V>
  HWY_INLINE V Averaged(D d, V average, V now) const {
    const V rest = hn::Set(d, 1 - numbers.rho);
    return hn::MulAdd(rest, now, hn::Mul(hn::Set(d, numbers.rho), average));
  }
  template <class D, class V>
  HWY_INLINE V Step(D d, V g, V square) const {
    // Keras adds epsilon inside the root.
    const V root = hn::Sqrt(hn::Add(square, hn::Set(d, numbers.epsilon)));
    return hn::Div(hn::Mul(hn::Set(d, numbers.rate), g), root);
  }
};

template <class T>
struct RmspropMomentumStep : RmspropStep<T> {
  template <class D, class V>
  HWY_INLINE void operator()(D d, V g, V& w, V& v, V& m) const {
    w = hn::Sub(w, this->Momentum(d, this->Plain(d, g, v), m));
  }
};

template <class T>
struct RmspropCenteredStep : RmspropStep<T> {
  template <class D, class V>
  HWY_INLINE void operator()(D d, V g, V& w, V& v, V& mean) const {
    w = hn::Sub(w, this->Centered(d, g, v, mean));
  }
};

template <class T>
struct RmspropCenteredMomentumStep : RmspropStep<T> {
  template <class D, class V>
  HWY_INLINE void operator()(D d, V g, V& w, V& v, V& mean, V& m) const {
    w = hn::Sub(w, this->Momentum(d, this->Centered(d, g, v, mean), m));
  }
};

template <class T>
struct AdamStep {
  AdamNumbers<T> numbers;

  template <class D, class V>
  HWY_INLINE void operator()(D d, V g, V& w, V& m, V& v) const {
    Moments(d, g, m, v);
    Apply(d, w, m, v);
  }
  template <class D, class V>
  HWY_INLINE void operator()(D d, V g, V& w, V& m, V& v, V& v_max) const {
    Moments(d, g, m, v);
    v_max = hn::IfThenElse(hn::Gt(v_max, v), v_max, v);
    Apply(d, w, m, v_max);
  }

 private:
  template <class D, class V>
  HWY_INLINE void Moments(D d, V g, V& m, V& v) const {
    m = hn::MulAdd(hn::Sub(g, m), hn::Set(d, numbers.rest1), m);
    v = hn::MulAdd(hn::Sub(hn::Mul(g, g), v), hn::Set(d, numbers.rest2), v);
  }
  template <class D, class V>
  HWY_INLINE void Apply(D d, V& w, V m, V v) const {
    const V below = hn::Add(hn::Sqrt(v), hn::Set(d, numbers.epsilon));
    w = hn::Sub(w, hn::Div(hn::Mul(hn::Set(d, numbers.alpha), m), below));
  }
};

template <class T>
void Sgd(Index n, T rate, const T* g, T* w) {
  Update(n, Stepped<SgdStep<T>>{{rate}}, g, w);
}
template <class T, class Step>
void WithMomentum(Index n, T rate, T momentum, const T* g, T* w, T* v) {
  Update(n, Stepped<Step>{{rate, momentum}}, g, w, v);
}
template <class T, class Step, class... Slots>
void Rmsprop(Index n, const RmspropNumbers<T>& numbers, const T* g, T* w, Slots*... slots) {
  Update(n, Stepped<Step>{{{numbers}}}, g, w, slots...);
}
template <class T, class... Slots>
void Adam(Index n, const AdamNumbers<T>& numbers, const T* g, T* w, Slots*... slots) {
  Update(n, Stepped<AdamStep<T>>{{numbers}}, g, w, slots...);
}

template <class T>
void PlainRmsprop(Index n, const RmspropNumbers<T>& numbers, const T* g, T* w, T* v) {
  Update(n, Stepped<RmspropStep<T>>{{numbers}}, g, w, v);
}

template <class T>
constexpr UpdateTable<T> update_table{&Sgd<T>,
                                      &WithMomentum<T, MomentumStep<T>>,
                                      &WithMomentum<T, NesterovStep<T>>,
                                      &PlainRmsprop<T>,
                                      &Rmsprop<T, RmspropMomentumStep<T>, T, T>,
                                      &Rmsprop<T, RmspropCenteredStep<T>, T, T>,
                                      &Rmsprop<T, RmspropCenteredMomentumStep<T>, T, T, T>,
                                      &Adam<T, T, T>,
                                      &Adam<T, T, T, T>};

const UpdateTable<float>* FloatUpdates() { return &update_table<float>; }
const UpdateTable<double>* DoubleUpdates() { return &update_table<double>; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace unroll::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll::kernels {
namespace {

HWY_EXPORT(FloatUpdates);
HWY_EXPORT(DoubleUpdates);

template <class T>
const UpdateTable<T>& updates() {
  if constexpr (std::is_same_v<T, float>) {
    return *HWY_DYNAMIC_DISPATCH(FloatUpdates)();
  } else {
    return *HWY_DYNAMIC_DISPATCH(DoubleUpdates)();
  }
}

}  // namespace

template <class T>
void update_sgd(Index n, T rate, T momentum, bool nesterov, const T* g, T* w, T* v) {
  const UpdateTable<T>& table = updates<T>();
  if (momentum == 0) {
    table.sgd(n, rate, g, w);
  } else {
    (nesterov ? table.sgd_nesterov : table.sgd_momentum)(n, rate, momentum, g, w, v);
  }
}

template <class T>
void update_rmsprop(Index n, T rate, T rho, T momentum, T epsilon, const T* g, T* w, T* v, T* mean,
                    T* m) {
  const UpdateTable<T>& table = updates<T>();
  const RmspropNumbers<T> numbers{rate, rho, momentum, epsilon};
  if (mean && m) {
    table.rmsprop_centered_momentum(n, numbers, g, w, v, mean, m);
  } else if (mean) {
    table.rmsprop_centered(n, numbers, g, w, v, mean);
  } else if (m) {
    table.rmsprop_momentum(n, numbers, g, w, v, m);
  } else {
    table.rmsprop(n, numbers, g, w, v);
  }
}

template <class T>
void update_adam(Index n, T alpha, T beta1, T beta2, T epsilon, const T* g, T* w, T* m, T* v,
                 T* v_max) {
  const UpdateTable<T>& table = updates<T>();
  const AdamNumbers<T> numbers{alpha, 1 - beta1, 1 - beta2, epsilon};
  if (v_max) {
    table.adam_amsgrad(n, numbers, g, w, m, v, v_max);
  } else {
    table.adam(n, numbers, g, w, m, v);
  }
}

#define UNROLL_INSTANTIATE(T)                                                \
  template void update_sgd(Index, T, T, bool, const T*, T*, T*);             \
  template void update_rmsprop(Index, T, T, T, T, const T*, T*, T*, T*, T*); \
  template void update_adam(Index, T, T, T, T, const T*, T*, T*, T*, T*);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
#endif  // HWY_ONCE
