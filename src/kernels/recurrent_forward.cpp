// Forward through time. A step computes its pre-activations panel by panel of units, all gates of
// the same units together: they lie in a tile in L1 until they have become the new state.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/recurrent_forward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <type_traits>

#include "src/kernels/recurrent-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

template <class T>
class Forward {
 public:
  Forward(const RecurrentShape& shape, const RecurrentForward<T>& call)
      : l_(shape, lanes<T>),
        call_(call),
        training_(call.saved != nullptr),
        scratch_(RecurrentLayout<T>(shape), training_, call.scratch) {}

  void run() {
    start();
    for (step_ = 0; step_ < l_.shape.time; ++step_) {
      const std::uint8_t* mask = call_.mask ? call_.mask + step_ * call_.mask_step : nullptr;
      kept_ = kept_rows(mask, l_.B, scratch_.which);
      if (kept_.count > 0) {
        take_inputs();
        compute();
      }
      if (kept_.count < l_.B) keep_masked(mask);
      give_outputs(mask);
    }
    finish();
  }

 private:
  // Without `saved` two states take turns; a step that computes nothing takes no turn.
  T* state(Index s) const {
    return training_ ? call_.saved + s * l_.B * l_.state_ld
                     : scratch_.states + (s & 1) * l_.B * l_.state_ld;
  }
  T* cells(Index s) const {
    return training_ ? call_.saved + l_.cells_at() + s * l_.B * l_.padded
                     : scratch_.cells + (s & 1) * l_.B * l_.padded;
  }
  T* gates_of_step() const {
    return training_ ? call_.saved + l_.gates_at() + step_ * l_.B * l_.gates_ld : scratch_.gates;
  }
  const T* bias(Index part, Index unit) const { return call_.packed + part * l_.padded + unit; }
  const T* panel(Index gate, Index unit, Index width) const {
    return call_.packed + l_.weights_at() + l_.K * (l_.G * unit + gate * width);
  }

  void start() {
    for (Index row = 0; row < l_.B; ++row) {
      copy_or_zero_row(l_.U, call_.h0 ? call_.h0 + row * l_.U : nullptr,
                       state(0) + row * l_.state_ld);
      scratch_.seen[row] = 0;
      if (!l_.has_cell_state()) continue;
      copy_or_zero_row(l_.U, call_.c0 ? call_.c0 + row * l_.U : nullptr,
                       cells(0) + row * l_.padded);
    }
    if (l_.shape.time == 0 && call_.last) zero_row(l_.B * l_.U, call_.last);
  }

  // Columns U to K + 1 of the state: what the step reads beside h. The 1 is for the bias's
  // gradient.
  void take_inputs() {
    const T* x = call_.x + step_ * call_.x_step;
    T* to = state(now_) + l_.U;
    for (Index i = 0; i < kept_.count; ++i) {
      const Index row = kept_.row(i);
      copy_row(l_.F, x + row * l_.F, to + row * l_.state_ld);
      if (training_) to[row * l_.state_ld + l_.F] = 1;
    }
  }

  void compute() {
    h_ = state(now_);
    next_h_ = state(now_ + 1);
    if (l_.has_cell_state()) {
      c_ = cells(now_);
      next_c_ = cells(now_ + 1);
    }
    if (l_.shape.cell == CellKind::simple_rnn) {
      if (kept_.count == 1) {
        simple_one_row();
      } else {
        for_panels([&](Index unit, Index vectors) { simple_panel(unit, vectors); });
      }
    } else if (l_.shape.cell == CellKind::lstm) {
      for_panels([&](Index unit, Index vectors) { lstm_panel(unit, vectors); });
    } else if (l_.shape.cell == CellKind::gru_reset_after) {
      for_panels([&](Index unit, Index vectors) { reset_after_panel(unit, vectors); });
    } else {
      for_panels([&](Index unit, Index vectors) { gru_gates_panel(unit, vectors); });
      for_panels([&](Index unit, Index vectors) { gru_candidate_panel(unit, vectors); });
    }
    ++now_;
  }

  template <class F>
  HWY_INLINE void for_panels(F f) {
    Index unit = 0;
    for (Index left = l_.padded / lanes<T>, now; left > 0; left -= now) {
      now = panel_vectors(left);
      f(unit, now);
      unit += now * lanes<T>;
    }
  }
  template <class F>
  HWY_INLINE void for_row_blocks(F f) {
    for (Index first = 0; first < kept_.count; first += l_.rows_at_once) {
      f(first, std::min(l_.rows_at_once, kept_.count - first));
    }
  }

  // --- products --------------------------------------------------------------------------------
  /// Pre-activations of `parts` parts from `part` on into the tile, (part, row, unit). They use the
  /// columns [from, to) of the state.
  void product(Index part, Index parts, Index gate, Index unit, Index vectors, Index first,
               Index rows, Index from, Index to) {
    const Index width = vectors * lanes<T>;
    const T* weights = panel(gate, unit, width) + from * width;
    T* tile = scratch_.tile + part * rows * width;
    if (rows == 1) {
      RowProduct<T> p;
      p.a = h_ + kept_.row(first) * l_.state_ld + from;
      p.K = to - from;
      p.panel = weights;
      p.panel_step = l_.K * width;
      p.vectors = vectors;
      p.panels = parts;
      p.bias = bias(part, unit);
      p.bias_step = l_.padded;
      p.c = tile;
      p.c_step = width;
      return multiply(p);
    }
    for (Index i = 0; i < parts; ++i) {
      PanelProduct<T> p;
      p.add(rows_from<const T>(h_ + from, l_.state_ld, kept_, first), to - from,
            weights + i * l_.K * width);
      p.c = {tile + i * rows * width, width};
      p.vectors = vectors;
      p.columns = width;
      p.bias = bias(part + i, unit);
      multiply(p, rows);
    }
  }

  // --- SimpleRNN -------------------------------------------------------------------------------
  void simple_panel(Index unit, Index vectors) {
    PanelProduct<T> p;
    p.add(rows_from<const T>(h_, l_.state_ld, kept_, 0), l_.K, panel(0, unit, vectors * lanes<T>));
    p.c = rows_from(next_h_ + unit, l_.state_ld, kept_, 0);
    p.vectors = vectors;
    p.columns = vectors * lanes<T>;
    p.bias = bias(0, unit);
    p.relu = l_.shape.activation == Activation("relu");
    multiply(p, kept_.count);
    if (p.relu || l_.shape.activation == Activation("linear")) return;
    with_kind(l_.shape.activation, [&](auto kind) {
      for (Index i = 0; i < kept_.count; ++i) {
        activate_numbers<decltype(kind)::value>(p.columns, p.c.at(i));
      }
    });
  }
  // Panels of equal width together: more accumulators at once.
  void simple_one_row() {
    const Index row = kept_.row(0);
    RowProduct<T> p;
    p.a = h_ + row * l_.state_ld;
    p.K = l_.K;
    Index unit = 0;
    for (Index left = l_.padded / lanes<T>; left > 0;) {
      p.vectors = panel_vectors(left);
      const Index width = p.vectors * lanes<T>;
      p.panels = 0;
      for (; left > 0 && panel_vectors(left) == p.vectors; left -= p.vectors) ++p.panels;
      p.panel = panel(0, unit, width);
      p.panel_step = l_.K * width;
      p.bias = bias(0, unit);
      p.bias_step = p.c_step = width;
      p.c = next_h_ + row * l_.state_ld + unit;
      multiply(p);
      unit += p.panels * width;
    }
    activate_tile(l_.shape.activation, l_.padded, next_h_ + row * l_.state_ld);
  }

  // --- LSTM --------------------------------------------------------------------------------------
  void lstm_panel(Index unit, Index vectors) {
    for_row_blocks([&](Index first, Index rows) {
      product(0, 4, 0, unit, vectors, first, rows, 0, l_.K);
      const Index width = vectors * lanes<T>, size = rows * width;
      T* tile = scratch_.tile;
      activate_tile(l_.shape.recurrent_activation, 3 * size, tile);
      activate_tile(l_.shape.activation, size, tile + 3 * size);
      lstm_cells(unit, width, first, rows);
      activate_tile(l_.shape.activation, size, tile + 4 * size);
      lstm_states(unit, width, first, rows);
      if (training_) save_gates(5, unit, width, first, rows);
    });
  }
  // c' = f c + i g, also into part 4 of the tile.
  void lstm_cells(Index unit, Index width, Index first, Index rows) {
    const Tag<T> d;
    const Index size = rows * width;
    for (Index i = 0; i < rows; ++i) {
      const Index at = kept_.row(first + i) * l_.padded + unit;
      T* tile = scratch_.tile + i * width;
      for (Index u = 0; u < width; u += lanes<T>) {
        const auto old = hn::Mul(hn::LoadU(d, tile + size + u), hn::LoadU(d, c_ + at + u));
        const auto c = hn::MulAdd(hn::LoadU(d, tile + u), hn::LoadU(d, tile + 3 * size + u), old);
        hn::StoreU(c, d, next_c_ + at + u);
        hn::StoreU(c, d, tile + 4 * size + u);
      }
    }
  }
  void lstm_states(Index unit, Index width, Index first, Index rows) {
    const Tag<T> d;
    const Index size = rows * width;
    for (Index i = 0; i < rows; ++i) {
      T* h = next_h_ + kept_.row(first + i) * l_.state_ld + unit;
      const T* tile = scratch_.tile + i * width;
      for (Index u = 0; u < width; u += lanes<T>) {
        const auto out = hn::LoadU(d, tile + 2 * size + u);
        hn::StoreU(hn::Mul(out, hn::LoadU(d, tile + 4 * size + u)), d, h + u);
      }
    }
  }
  void save_gates(Index parts, Index unit, Index width, Index first, Index rows) {
    for (Index part = 0; part < parts; ++part) {
      for (Index i = 0; i < rows; ++i) {
        copy_row(width, scratch_.tile + (part * rows + i) * width,
                 gates_of_step() + kept_.row(first + i) * l_.gates_ld + part * l_.padded + unit);
      }
    }
  }

  // --- GRU, reset after ------------------------------------------------------------------------
  void reset_after_panel(Index unit, Index vectors) {
    for_row_blocks([&](Index first, Index rows) {
      product(0, 2, 0, unit, vectors, first, rows, 0, l_.K);
      product(2, 1, 2, unit, vectors, first, rows, 0, l_.U);
      product(3, 1, 2, unit, vectors, first, rows, l_.U, l_.K);
      const Index width = vectors * lanes<T>, size = rows * width;
      T* tile = scratch_.tile;
      activate_tile(l_.shape.recurrent_activation, 2 * size, tile);
      const Tag<T> d;
      for (Index i = 0; i < size; i += lanes<T>) {
        const auto r = hn::LoadU(d, tile + size + i), q = hn::LoadU(d, tile + 2 * size + i);
        hn::StoreU(hn::MulAdd(r, q, hn::LoadU(d, tile + 3 * size + i)), d, tile + 3 * size + i);
      }
      activate_tile(l_.shape.activation, size, tile + 3 * size);
      mix({tile, width}, tile + 3 * size, unit, width, first, rows);
      if (training_) save_gates(4, unit, width, first, rows);
    });
  }
  // h' = z h + (1 - z) c, as c + z (h - c); c lies in a part of the tile.
  void mix(const Rows<const T>& z, const T* c, Index unit, Index width, Index first, Index rows) {
    const Tag<T> d;
    for (Index i = 0; i < rows; ++i) {
      const Index at = kept_.row(first + i) * l_.state_ld + unit;
      const T* z_row = z.at(i);
      for (Index u = 0; u < width; u += lanes<T>) {
        const auto cv = hn::LoadU(d, c + i * width + u);
        const auto change = hn::Sub(hn::LoadU(d, h_ + at + u), cv);
        hn::StoreU(hn::MulAdd(hn::LoadU(d, z_row + u), change, cv), d, next_h_ + at + u);
      }
    }
  }

  // --- GRU, reset before: r h must be whole before the candidate begins --------------------------
  void gru_gates_panel(Index unit, Index vectors) {
    for_row_blocks([&](Index first, Index rows) {
      product(0, 2, 0, unit, vectors, first, rows, 0, l_.K);
      const Tag<T> d;
      const Index width = vectors * lanes<T>, size = rows * width;
      activate_tile(l_.shape.recurrent_activation, 2 * size, scratch_.tile);
      for (Index i = 0; i < rows; ++i) {
        const T* z = scratch_.tile + i * width;
        const T* h = h_ + kept_.row(first + i) * l_.state_ld + unit;
        T* gates = gates_of_step() + kept_.row(first + i) * l_.gates_ld + unit;
        for (Index u = 0; u < width; u += lanes<T>) {
          const auto r = hn::LoadU(d, z + size + u);
          hn::StoreU(hn::LoadU(d, z + u), d, gates + u);
          hn::StoreU(r, d, gates + l_.padded + u);
          hn::StoreU(hn::Mul(r, hn::LoadU(d, h + u)), d, gates + 3 * l_.padded + u);
        }
      }
    });
  }
  void gru_candidate_panel(Index unit, Index vectors) {
    for_row_blocks([&](Index first, Index rows) {
      const Index width = vectors * lanes<T>;
      T* gates = gates_of_step();
      PanelProduct<T> p;
      p.add(rows_from<const T>(gates + 3 * l_.padded, l_.gates_ld, kept_, first), l_.U,
            panel(2, unit, width));
      p.add(rows_from<const T>(h_ + l_.U, l_.state_ld, kept_, first), l_.F,
            panel(2, unit, width) + l_.U * width);
      p.c = {scratch_.tile, width};
      p.vectors = vectors;
      p.columns = width;
      p.bias = bias(2, unit);
      multiply(p, rows);
      activate_tile(l_.shape.activation, rows * width, scratch_.tile);
      mix(rows_from<const T>(gates + unit, l_.gates_ld, kept_, first), scratch_.tile, unit, width,
          first, rows);
      if (!training_) return;
      for (Index i = 0; i < rows; ++i) {
        copy_row(width, scratch_.tile + i * width,
                 gates + kept_.row(first + i) * l_.gates_ld + 2 * l_.padded + unit);
      }
    });
  }

  // --- masks and outputs -------------------------------------------------------------------------
  void keep_masked(const std::uint8_t* mask) {
    if (training_ && kept_.count == 0) ++now_;  // backward finds a step's state by its number
    if (!training_ && kept_.count == 0) return;
    for (Index row = 0; row < l_.B; ++row) {
      if (mask[row]) continue;
      copy_row(l_.U, state(now_ - 1) + row * l_.state_ld, state(now_) + row * l_.state_ld);
      if (!l_.has_cell_state()) continue;
      copy_row(l_.U, cells(now_ - 1) + row * l_.padded, cells(now_) + row * l_.padded);
    }
  }

  void give_outputs(const std::uint8_t* mask) {
    for (Index i = 0; mask && i < kept_.count; ++i) scratch_.seen[kept_.row(i)] = 1;
    if (call_.y) give_output(mask, call_.y + step_ * l_.B * l_.U);
    if (call_.last && step_ == l_.shape.time - 1) give_output(mask, call_.last);
  }
  void give_output(const std::uint8_t* mask, T* y) {
    for (Index row = 0; row < l_.B; ++row) {
      const bool old = mask && !mask[row];
      const bool zero = old && (call_.zero_output_for_mask || !scratch_.seen[row]);
      copy_or_zero_row(l_.U, zero ? nullptr : state(now_) + row * l_.state_ld, y + row * l_.U);
    }
  }
  void finish() {
    for (Index row = 0; row < l_.B; ++row) {
      if (call_.h_last) {
        copy_row(l_.U, state(now_) + row * l_.state_ld, call_.h_last + row * l_.U);
      }
      if (call_.c_last) copy_row(l_.U, cells(now_) + row * l_.padded, call_.c_last + row * l_.U);
    }
  }

  const RecurrentLayout<T> l_;
  const RecurrentForward<T>& call_;
  const bool training_;
  const ForwardScratch<T> scratch_;
  Index step_ = 0;
  Index now_ = 0;  // the state that the next step reads
  Kept kept_;
  const T* h_ = nullptr;
  const T* c_ = nullptr;
  T* next_h_ = nullptr;
  T* next_c_ = nullptr;
};

}  // namespace

void ForwardFloat(const RecurrentShape& shape, const RecurrentForward<float>& call) {
  Forward<float>(shape, call).run();
}
void ForwardDouble(const RecurrentShape& shape, const RecurrentForward<double>& call) {
  Forward<double>(shape, call).run();
}

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll::kernels {

HWY_EXPORT(ForwardFloat);
HWY_EXPORT(ForwardDouble);

template <class T>
void recurrent_forward(const RecurrentShape& shape, const RecurrentForward<T>& call) {
  if constexpr (std::is_same_v<T, float>) {
    HWY_DYNAMIC_DISPATCH(ForwardFloat)(shape, call);
  } else {
    HWY_DYNAMIC_DISPATCH(ForwardDouble)(shape, call);
  }
}
template void recurrent_forward(const RecurrentShape&, const RecurrentForward<float>&);
template void recurrent_forward(const RecurrentShape&, const RecurrentForward<double>&);

}  // namespace unroll::kernels
#endif
