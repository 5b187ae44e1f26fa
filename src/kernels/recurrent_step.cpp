// Order of the gates: LSTM i f o g, GRU z r c. A product computes all of them at once:
//   SimpleRNN, LSTM   b + h R + x W
//   GRU reset_after   b1 + h R, and b0 + x W by itself
//   GRU otherwise     z and r: b + h R + x W; then c: b + (r h) R + x W
// An LSTM and a GRU that resets after lie in groups, see recurrent_step-inl.h; the gates of others
// side by side, each padded to a cache line where there are several.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/recurrent_step.cpp"
#include "src/kernels/recurrent_step.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "src/base/aligned.h"
#include "src/kernels/recurrent_step-inl.h"

#ifndef UNROLL_KERNELS_OWN_CACHE
#define UNROLL_KERNELS_OWN_CACHE
namespace unroll::kernels {
constexpr Index own_cache = Index{1} << 19;  // bytes that a core keeps to itself
}  // namespace unroll::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

HWY_INLINE void multiply(const Work& w, const GemvTerm& first, const GemvTerm& second,
                         const float* bias, float* y) {
  Multiply(first, second, bias, w.products, y, w.backwards);
}

/// z = b + h R + x W.
HWY_INLINE void both_products(const Work& w) {
  if (w.row != nullptr) {
    multiply(w, {w.n.h, &w.s.recurrent()}, {}, w.row, w.z);
  } else {
    multiply(w, {w.n.h, &w.s.recurrent()}, {w.n.x, &w.s.input()}, w.s.bias(), w.z);
  }
}

template <class Body>
HWY_INLINE void for_vectors(Index n, Body body) {
  for (Index u = 0; u < n; u += L) body(u);
}

HWY_INLINE void give(V state, float* h, float* y) {
  state = kept(state);
  hn::StoreU(state, F(), h);
  hn::StoreU(state, F(), y);
}

template <ActivationKind kind>
HWY_NOINLINE void simple_state(const Work& w) {
  const F d;
  float *z = w.z, *h = w.n.h, *y = w.n.y;
  for_vectors(w.s.shape().units, [=](Index u) HWY_ATTR {
    give(activated<kind>(d, hn::LoadU(d, z + u)), h + u, y + u);
  });
}
/// both_products() that make one panel: a small model's step takes hardly longer than finding out.
template <int units = 8>
HWY_INLINE void one_panel(const Work& w) {
  if constexpr (units > 1) {
    if (w.s.padded() <= (units - 1) * L) return one_panel<units - 1>(w);
  }
  Nothing nothing;
  panel<Float32, units>({w.n.h, &w.s.recurrent()}, {w.n.x, &w.s.input()}, w.s.bias(), 0, w.z,
                        nothing);
}
void simple(const Work& w) {
  if (w.row == nullptr && w.s.padded() <= 8 * L && w.s.recurrent().type() == WeightType::float32) {
    one_panel(w);
  } else {
    both_products(w);
  }
  with_kind(w.s.shape().activation, [&](auto kind) { simple_state<decltype(kind)::value>(w); });
}

template <class Act, class Gate>
HWY_NOINLINE void lstm_state(const Work& w, Act act, Gate gate) {
  const F d;
  const Index P = w.s.padded();
  float *z = w.z, *c = w.n.c;
  // Loops of their own: together, these would be one long chain for each vector.
  for_vectors(3 * P, [&](Index u) HWY_ATTR { hn::StoreU(gate(d, hn::LoadU(d, z + u)), d, z + u); });
  for_vectors(P, [&, g = z + 3 * P](Index u)
                     HWY_ATTR { hn::StoreU(act(d, hn::LoadU(d, g + u)), d, g + u); });
  for_vectors(w.s.shape().units, [&](Index u) HWY_ATTR {
    const auto in = hn::LoadU(d, z + u), forget = hn::LoadU(d, z + P + u);
    const auto candidate = hn::LoadU(d, z + 3 * P + u);
    const auto next = kept(hn::MulAdd(in, candidate, hn::Mul(forget, hn::LoadU(d, c + u))));
    hn::StoreU(next, d, c + u);
    give(hn::Mul(hn::LoadU(d, z + 2 * P + u), act(d, next)), w.n.h + u, w.n.y + u);
  });
}
void lstm(const Work& w) {
  if (w.s.grouped()) return run_groups<LstmGroups>(w);
  both_products(w);
  with_activations(w.s.shape(), [&](auto act, auto gate) { lstm_state(w, act, gate); });
}

/// h' = c + z (h - c).
HWY_INLINE void gru_state(const Work& w, Index u, V c) {
  const auto old = hn::LoadU(F(), w.n.h + u);
  give(hn::MulAdd(hn::LoadU(F(), w.z + u), hn::Sub(old, c), c), w.n.h + u, w.n.y + u);
}

template <class Act, class Gate>
HWY_NOINLINE void gru_after_state(const Work& w, Act act, Gate gate) {
  const F d;
  const Index P = w.s.padded();
  float *z = w.z, *q = w.other;
  for_vectors(2 * P, [&](Index u) HWY_ATTR {
    hn::StoreU(gate(d, hn::Add(hn::LoadU(d, z + u), hn::LoadU(d, q + u))), d, z + u);
  });
  for_vectors(w.s.shape().units, [&](Index u) HWY_ATTR {
    const auto r = hn::LoadU(d, z + P + u), own = hn::LoadU(d, z + 2 * P + u);
    gru_state(w, u, act(d, hn::MulAdd(r, hn::LoadU(d, q + 2 * P + u), own)));
  });
}
void gru_reset_after(const Work& w) {
  if (w.s.grouped()) return run_groups<GruGroups>(w);
  multiply(w, {w.n.h, &w.s.recurrent()}, {}, w.s.second_bias(), w.other);
  if (w.row != nullptr) {
    std::copy_n(w.row, 3 * w.s.padded(), w.z);
  } else {
    multiply(w, {w.n.x, &w.s.input()}, {}, w.s.bias(), w.z);
  }
  with_activations(w.s.shape(), [&](auto act, auto gate) { gru_after_state(w, act, gate); });
}

void gru_reset_before(const Work& w) {
  const F d;
  const Index P = w.s.padded(), U = w.s.shape().units;
  float *z = w.z, *reset = w.other;
  multiply(w, {w.n.h, &w.s.recurrent()}, {w.n.x, &w.s.input()}, w.s.bias(), z);
  activate_tile(w.s.shape().recurrent_activation, 2 * P, z);
  for_vectors(U, [&](Index u) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::LoadU(d, z + P + u), hn::LoadU(d, w.n.h + u)), d, reset + u);
  });
  multiply(w, {reset, &w.s.candidate_recurrent()}, {w.n.x, &w.s.candidate_input()},
           w.s.second_bias(), z + 2 * P);
  activate_tile(w.s.shape().activation, P, z + 2 * P);
  for_vectors(U, [&](Index u) HWY_ATTR { gru_state(w, u, hn::LoadU(d, z + 2 * P + u)); });
}

}  // namespace

void Step(const RecurrentStep& s, const StepNumbers& n, const float* row) {
  float* other = n.scratch + s.gates_room();
  // What the other order finds in the cache is little of larger weights, and no gain.
  const bool backwards = n.backwards && s.recurrent().bytes() + s.input().bytes() <= own_cache;
  const Work work{s, n, row, n.scratch, other, other + s.gates_room(), backwards};
  switch (s.shape().cell) {
    case CellKind::simple_rnn:
      return simple(work);
    case CellKind::lstm:
      return lstm(work);
    case CellKind::gru:
      return gru_reset_before(work);
    case CellKind::gru_reset_after:
      return gru_reset_after(work);
  }
}

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll::kernels {

HWY_EXPORT(Step);

/// Some of Keras's gates in another order, side by side for a group of units each.
struct RecurrentStep::Columns {
  Index units, padded, group, panel_vectors, gates;  // gates of a row of Keras's
  std::vector<Index> which;

  std::vector<float> row(const float* from) const {
    std::vector<float> to(static_cast<std::size_t>(gemv_room(size())));
    const auto count = static_cast<Index>(which.size());
    for (Index i = 0; from != nullptr && i < count; ++i) {
      const float* gate = from + which[static_cast<std::size_t>(i)] * units;
      for (Index u = 0; u < units; ++u) {
        to[static_cast<std::size_t>((u / group * count + i) * group + u % group)] = gate[u];
      }
    }
    return to;
  }
  PackedMatrix matrix(Index K, const float* from, WeightType type) const {
    std::vector<float> to;
    for (Index k = 0; k < K; ++k) {
      const std::vector<float> one = row(from + k * gates * units);
      to.insert(to.end(), one.begin(), one.begin() + size());
    }
    return PackedMatrix(K, size(), to.data(), type, panel_vectors);
  }
  Index size() const { return static_cast<Index>(which.size()) * padded; }
};

RecurrentStep::RecurrentStep(const RecurrentShape& shape, const float* kernel,
                             const float* recurrent_kernel, const float* bias, WeightType type)
    : shape_(shape), padded_(shape.units) {
  const Index U = shape.units, G = gates(shape.cell);
  const bool reset_before = shape.cell == CellKind::gru;
  // Weights beyond a core's own cache are waited for in any case, and are quicker in wider panels.
  const bool close = (shape.features + U) * G * U * 4 <= own_cache;
  grouped_ = G > 1 && !reset_before && close && type == WeightType::float32 &&
             shape.activation == Activation("tanh") &&
             shape.recurrent_activation == Activation("sigmoid");
  const Index group = grouped_ ? gemv_vector() : base::cache_line / 4;
  if (G > 1) padded_ = base::round_up(U, group);
  Columns columns{U, padded_, grouped_ ? group : padded_, grouped_ ? G : 0, G, {0}};
  if (shape.cell == CellKind::lstm) columns.which = {0, 1, 3, 2};
  if (shape.cell == CellKind::gru_reset_after) columns.which = {0, 1, 2};
  if (reset_before) columns.which = {0, 1};
  input_ = columns.matrix(shape.features, kernel, type);
  recurrent_ = columns.matrix(U, recurrent_kernel, type);
  bias_ = columns.row(bias);
  if (shape.cell == CellKind::gru_reset_after) {
    second_bias_ = columns.row(bias != nullptr ? bias + G * U : nullptr);
  }
  if (reset_before) {
    const Columns candidate{U, padded_, padded_, 0, G, {2}};
    candidate_input_ = candidate.matrix(shape.features, kernel, type);
    candidate_recurrent_ = candidate.matrix(U, recurrent_kernel, type);
    second_bias_ = candidate.row(bias);
  }
  products_ = gemv_scratch(input_) + gemv_scratch(recurrent_);
  // The second half holds the other product of a GRU, or its reset state.
  gates_room_ = gemv_room(G * padded_);
  room_ = gemv_room(U);
  scratch_ = 2 * gates_room_ + products_;
  step_ = &HWY_DYNAMIC_DISPATCH(Step);
}

bool RecurrentStep::tabulate(const float* table, Index rows, Index most) {
  const Index room = gemv_room(input_.N());
  if (shape_.cell == CellKind::gru || rows * room > most) return false;
  table_row_ = room;
  table_.resize(static_cast<std::size_t>(rows * room));
  std::vector<float> products(static_cast<std::size_t>(products_));
  for (Index i = 0; i < rows; ++i) {
    gemv({table + i * shape_.features, &input_}, {}, bias_.data(), products.data(),
         table_.data() + i * room);
  }
  return true;
}

}  // namespace unroll::kernels
#endif
