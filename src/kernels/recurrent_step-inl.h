// A float32 LSTM or GRU (reset_after) with the usual activations, group by group. A group is a
// vector of units; the columns of its gates lie side by side, so that one panel computes them. Such
// a product waits for its weights most of the time: the states of the groups before are computed
// beside it.

#if defined(UNROLL_KERNELS_RECURRENT_STEP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_RECURRENT_STEP_INL_H_
#undef UNROLL_KERNELS_RECURRENT_STEP_INL_H_
#else
#define UNROLL_KERNELS_RECURRENT_STEP_INL_H_
#endif

#include <hwy/highway.h>

#include "src/kernels/gemv-inl.h"
#include "src/kernels/recurrent-inl.h"
#include "src/kernels/recurrent_step.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

/// What a step computes with: products at z and `other`; b + x W where it stands in a table.
struct Work {
  const RecurrentStep& s;
  const StepNumbers& n;
  const float* row;
  float *z, *other, *products;
  bool backwards;
};

/// A state as it is kept.
HWY_INLINE V kept(V v) {
  return hn::IfThenZeroElse(hn::Lt(hn::Abs(v), hn::Set(F(), tiny_state)), v);
}
HWY_INLINE V sigmoid_at(const float* v) {
  return activated<ActivationKind::sigmoid>(F(), hn::LoadU(F(), v));
}
HWY_INLINE V tanh_of(V v) { return activated<ActivationKind::tanh>(F(), v); }

struct LstmGroups {
  static constexpr int activations = 4;
  const Work& w;

  template <class Aside>
  void multiply(Index group, Aside& aside) const {
    const bool listed = w.row != nullptr;
    panel<Float32, 4>({w.n.h, &w.s.recurrent()}, {w.n.x, listed ? nullptr : &w.s.input()},
                      listed ? w.row : w.s.bias(), group * 4, w.z, aside);
  }
  HWY_INLINE void activate(Index group, int gate) const {
    float* z = w.z + (group * 4 + gate) * L;
    hn::StoreU(gate == 3 ? tanh_of(hn::LoadU(F(), z)) : sigmoid_at(z), F(), z);
  }
  HWY_INLINE void change(Index group) const {
    const F d;
    const float* z = w.z + group * 4 * L;
    float* c = w.n.c + group * L;
    const V in = hn::LoadU(d, z), forget = hn::LoadU(d, z + L), candidate = hn::LoadU(d, z + 3 * L);
    const V next = kept(hn::MulAdd(in, candidate, hn::Mul(forget, hn::LoadU(d, c))));
    hn::StoreU(next, d, c);
    hn::StoreU(kept(hn::Mul(hn::LoadU(d, z + 2 * L), tanh_of(next))), d, w.n.y + group * L);
  }
};

struct GruGroups {
  static constexpr int activations = 2;
  const Work& w;

  template <class Aside>
  void multiply(Index group, Aside& aside) const {
    Nothing nothing;
    panel<Float32, 3>({w.n.h, &w.s.recurrent()}, {}, w.s.second_bias(), group * 3, w.other, aside);
    if (w.row != nullptr) return;
    panel<Float32, 3>({w.n.x, &w.s.input()}, {}, w.s.bias(), group * 3, w.z, nothing);
  }
  const float* from_input(Index group) const {
    return (w.row != nullptr ? w.row : w.z) + group * 3 * L;
  }
  HWY_INLINE void activate(Index group, int gate) const {
    const F d;
    float* q = w.other + (group * 3 + gate) * L;
    const V sum = hn::Add(hn::LoadU(d, from_input(group) + gate * L), hn::LoadU(d, q));
    hn::StoreU(activated<ActivationKind::sigmoid>(d, sum), d, q);
  }
  /// h' = c + z (h - c).
  HWY_INLINE void change(Index group) const {
    const F d;
    const float* q = w.other + group * 3 * L;
    const V z = hn::LoadU(d, q), r = hn::LoadU(d, q + L), own = hn::LoadU(d, q + 2 * L);
    const V c = tanh_of(hn::MulAdd(r, own, hn::LoadU(d, from_input(group) + 2 * L)));
    const V h = hn::LoadU(d, w.n.h + group * L);
    hn::StoreU(kept(hn::MulAdd(z, hn::Sub(h, c), c)), d, w.n.y + group * L);
  }
};

/// What is done beside the product of a group: the state of the group before the one before, whose
/// activations are there, and the activations of the one before. All of one group would be one long
/// chain, too long to be hidden.
template <class Groups>
class Unfinished {
 public:
  static constexpr int pieces = 1 + Groups::activations;

  explicit Unfinished(const Groups& groups) : groups_(groups) {}
  bool waits() const { return multiplied_ >= 0; }
  HWY_INLINE void piece(int i) const {
    if (i > 0) {
      groups_.activate(multiplied_, i - 1);
    } else if (activated_ >= 0) {
      groups_.change(activated_);
    }
  }
  void end() {
    activated_ = multiplied_;
    multiplied_ = -1;
  }
  /// The product of a group is there.
  void add(Index group) {
    if (waits()) finish();
    multiplied_ = group;
  }
  /// Takes what waits a step further.
  HWY_NOINLINE void finish() {
    for (int i = 0; i < (waits() ? pieces : 1); ++i) piece(i);
    end();
  }

 private:
  const Groups& groups_;
  Index multiplied_ = -1, activated_ = -1;
};

/// A product must not see a new h yet: h is written at the end.
template <class Groups>
HWY_NOINLINE void run_groups(const Work& w) {
  const Groups groups{w};
  const Index count = w.s.padded() / L;
  Unfinished<Groups> before(groups);
  for (Index i = 0; i < count; ++i) {
    const Index group = w.backwards ? count - 1 - i : i;
    groups.multiply(group, before);
    before.add(group);
  }
  before.finish();
  before.finish();
  copy_row(w.s.padded(), w.n.y, w.n.h);
}

}  // namespace
}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
