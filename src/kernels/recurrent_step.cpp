// Gates lie side by side, each padded to a cache line (a single one needs no padding), in the order
// of the other recurrent kernels: LSTM i f o g, GRU z r c. A product computes all of them at once:
//   SimpleRNN, LSTM   b + h R + x W
//   GRU reset_after   b1 + h R, and b0 + x W by itself
//   GRU otherwise     z and r: b + h R + x W; then c: b + (r h) R + x W

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/recurrent_step.cpp"
#include "src/kernels/recurrent_step.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "src/base/aligned.h"
#include "src/kernels/recurrent-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

constexpr Index L = lanes<float>;
using F = Tag<float>;

/// What comes from the input: x, or b + x W as it stands in a table.
struct From {
  const float *x, *row;
};

/// b + h R + x W.
HWY_INLINE void both_products(const RecurrentStep& s, const From& from, const float* h,
                              float* products, float* z) {
  if (from.row != nullptr) {
    gemv({h, &s.recurrent()}, {}, from.row, products, z);
  } else {
    gemv({h, &s.recurrent()}, {from.x, &s.input()}, s.bias(), products, z);
  }
}

/// What a step computes in: gates at z, what else it needs behind them.
struct Room {
  float *z, *other, *products;
};

template <class Body>
HWY_INLINE void for_vectors(Index n, Body body) {
  for (Index u = 0; u < n; u += L) body(u);
}

void simple(const RecurrentStep& s, const From& from, float* h, const Room& room) {
  both_products(s, from, h, room.products, room.z);
  activate_tile(s.shape().activation, s.padded(), room.z);
  std::copy_n(room.z, s.shape().units, h);
}

void lstm(const RecurrentStep& s, const From& from, float* h, float* c, const Room& room) {
  const F d;
  const Index P = s.padded(), U = s.shape().units;
  float* z = room.z;
  both_products(s, from, h, room.products, z);
  activate_tile(s.shape().recurrent_activation, 3 * P, z);
  activate_tile(s.shape().activation, P, z + 3 * P);
  std::copy_n(c, U, room.other);
  for_vectors(U, [&](Index u) HWY_ATTR {
    const auto in = hn::LoadU(d, z + u), forget = hn::LoadU(d, z + P + u);
    const auto candidate = hn::LoadU(d, z + 3 * P + u);
    const auto next = hn::MulAdd(in, candidate, hn::Mul(forget, hn::LoadU(d, room.other + u)));
    hn::StoreU(next, d, room.other + u);
    hn::StoreU(next, d, z + u);
  });
  std::copy_n(room.other, U, c);
  activate_tile(s.shape().activation, P, z);
  for_vectors(U, [&](Index u) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::LoadU(d, z + 2 * P + u), hn::LoadU(d, z + u)), d, z + u);
  });
  std::copy_n(z, U, h);
}

/// h' = c + z (h - c); c is in the gates' third place, h in `other`.
void gru_state(const RecurrentStep& s, float* h, const Room& room) {
  const F d;
  const Index P = s.padded(), U = s.shape().units;
  float* z = room.z;
  std::copy_n(h, U, room.other);
  for_vectors(U, [&](Index u) HWY_ATTR {
    const auto c = hn::LoadU(d, z + 2 * P + u), old = hn::LoadU(d, room.other + u);
    hn::StoreU(hn::MulAdd(hn::LoadU(d, z + u), hn::Sub(old, c), c), d, room.other + u);
  });
  std::copy_n(room.other, U, h);
}

void gru_reset_after(const RecurrentStep& s, const From& from, float* h, const Room& room) {
  const F d;
  const Index P = s.padded();
  float *z = room.z, *q = room.other;
  gemv({h, &s.recurrent()}, {}, s.second_bias(), room.products, q);
  if (from.row != nullptr) {
    std::copy_n(from.row, 3 * P, z);
  } else {
    gemv({from.x, &s.input()}, {}, s.bias(), room.products, z);
  }
  for_vectors(2 * P, [&](Index u) HWY_ATTR {
    hn::StoreU(hn::Add(hn::LoadU(d, z + u), hn::LoadU(d, q + u)), d, z + u);
  });
  activate_tile(s.shape().recurrent_activation, 2 * P, z);
  for_vectors(P, [&](Index u) HWY_ATTR {
    const auto r = hn::LoadU(d, z + P + u), own = hn::LoadU(d, z + 2 * P + u);
    hn::StoreU(hn::MulAdd(r, hn::LoadU(d, q + 2 * P + u), own), d, z + 2 * P + u);
  });
  activate_tile(s.shape().activation, P, z + 2 * P);
  gru_state(s, h, room);
}

void gru_reset_before(const RecurrentStep& s, const float* x, float* h, const Room& room) {
  const F d;
  const Index P = s.padded(), U = s.shape().units;
  float *z = room.z, *reset = room.other;
  gemv({h, &s.recurrent()}, {x, &s.input()}, s.bias(), room.products, z);
  activate_tile(s.shape().recurrent_activation, 2 * P, z);
  std::copy_n(h, U, reset);
  for_vectors(U, [&](Index u) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::LoadU(d, z + P + u), hn::LoadU(d, reset + u)), d, reset + u);
  });
  gemv({reset, &s.candidate_recurrent()}, {x, &s.candidate_input()}, s.second_bias(), room.products,
       z + 2 * P);
  activate_tile(s.shape().activation, P, z + 2 * P);
  gru_state(s, h, room);
}

}  // namespace

void Step(const RecurrentStep& s, const float* x, const float* row, float* h, float* c,
          float* scratch) {
  const From from{x, row};
  const Index gates_room = gemv_room(gates(s.shape().cell) * s.padded());
  const Room room{scratch, scratch + gates_room, scratch + 2 * gates_room};
  switch (s.shape().cell) {
    case CellKind::simple_rnn:
      return simple(s, from, h, room);
    case CellKind::lstm:
      return lstm(s, from, h, c, room);
    case CellKind::gru:
      return gru_reset_before(s, x, h, room);
    case CellKind::gru_reset_after:
      return gru_reset_after(s, from, h, room);
  }
}

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll::kernels {

HWY_EXPORT(Step);

/// Some of Keras's gates, in another order, each padded.
struct RecurrentStep::Columns {
  Index units, padded, gates;  // gates of a row of Keras's
  std::vector<Index> which;

  std::vector<float> row(const float* from) const {
    std::vector<float> to(static_cast<std::size_t>(gemv_room(size())));
    for (std::size_t i = 0; from != nullptr && i < which.size(); ++i) {
      std::copy_n(from + which[i] * units, units, to.data() + static_cast<Index>(i) * padded);
    }
    return to;
  }
  PackedMatrix matrix(Index K, const float* from, WeightType type) const {
    std::vector<float> to;
    for (Index k = 0; k < K; ++k) {
      const std::vector<float> one = row(from + k * gates * units);
      to.insert(to.end(), one.begin(), one.begin() + size());
    }
    return PackedMatrix(K, size(), to.data(), type);
  }
  Index size() const { return static_cast<Index>(which.size()) * padded; }
};

RecurrentStep::RecurrentStep(const RecurrentShape& shape, const float* kernel,
                             const float* recurrent_kernel, const float* bias, WeightType type)
    : shape_(shape), padded_(shape.units) {
  const Index U = shape.units, G = gates(shape.cell);
  if (G > 1) padded_ = base::round_up(U, base::cache_line / 4);
  const bool reset_before = shape.cell == CellKind::gru;
  Columns columns{U, padded_, G, {0}};
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
    const Columns candidate{U, padded_, G, {2}};
    candidate_input_ = candidate.matrix(shape.features, kernel, type);
    candidate_recurrent_ = candidate.matrix(U, recurrent_kernel, type);
    second_bias_ = candidate.row(bias);
  }
  products_ = gemv_scratch(input_) + gemv_scratch(recurrent_);
  // The second half holds the old state, or the other product of a GRU.
  scratch_ = 2 * gemv_room(G * padded_) + products_;
}

void RecurrentStep::run(const float* x, float* h, float* c, float* scratch) const {
  HWY_DYNAMIC_DISPATCH(Step)(*this, x, nullptr, h, c, scratch);
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

void RecurrentStep::run_row(Index i, float* h, float* c, float* scratch) const {
  HWY_DYNAMIC_DISPATCH(Step)(*this, nullptr, table_.data() + i * table_row_, h, c, scratch);
}

}  // namespace unroll::kernels
#endif
