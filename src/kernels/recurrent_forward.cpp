// Forward through time. A step computes its pre-activations panel by panel of units, all gates of
// the same units together: they lie in a tile in L1 until they have become the new state.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/recurrent_forward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <type_traits>

#include "src/kernels/recurrent-inl.h"
#include "src/kernels/recurrent_table.h"

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
        scratch_(RecurrentLayout<T>(shape), training_, call.scratch),
        starts_ld_(recurrent_table_width<T>(shape)),
        starts_gate_(RecurrentLayout<T>(shape).padded) {}

  void run() {
    begin();
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
  /// Pre-activations of a panel's units, all gates, for as many rows as are done at once.
  static constexpr Index tile_size = 4 * RecurrentLayout<T>::rows_at_once * 3 * lanes<T>;

  // Without `saved` two states take turns; a step that computes nothing takes no turn.
  T* state(Index s) const {
    return training_ ? call_.saved + s * l_.B * l_.state_ld
                     : scratch_.states + (s & 1) * l_.B * l_.state_ld;
  }
  T* cells(Index s) const {
    return training_ ? call_.saved + l_.cells_at() + s * l_.B * l_.padded
                     : scratch_.cells + (s & 1) * l_.B * l_.padded;
  }
  T* gates_of_step(Index s) const {
    return training_ ? call_.saved + l_.gates_at() + s * l_.B * l_.gates_ld : scratch_.gates;
  }
  const T* bias(Index part, Index unit) const { return call_.packed + part * l_.padded + unit; }
  const T* panel(Index gate, Index unit, Index width) const {
    return call_.packed + l_.weights_at() + l_.K * (l_.G * unit + gate * width);
  }

  void begin() {
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
    const T* x = call_.starts ? nullptr : call_.x + step_ * call_.x_step;
    const std::int32_t* ids = call_.starts ? call_.ids + step_ * call_.ids_step : nullptr;
    T* to = state(now_) + l_.U;
    const Index F = l_.F, ld = l_.state_ld;  // a compiler cannot know that stores leave l_ as it is
    const Kept kept = kept_;
    for (Index i = 0; x && i < kept.count; ++i) {
      copy_row(F, x + kept.row(i) * F, to + kept.row(i) * ld);
    }
    Index* starts = scratch_.starts;
    for (Index i = 0; ids && i < kept.count; ++i) starts[i] = ids[kept.row(i)];
    for (Index i = 0; training_ && i < kept.count; ++i) to[kept.row(i) * ld + F] = 1;
  }

  void compute() {
    h_ = state(now_);
    next_h_ = state(now_ + 1);
    gates_ = gates_of_step(step_);
    if (l_.has_cell_state()) {
      c_ = cells(now_);
      next_c_ = cells(now_ + 1);
    }
    if (l_.shape.cell == CellKind::simple_rnn) {
      if (kept_.count == 1 && !call_.starts) {
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

  /// f(first unit, vectors) of each panel; a team shares them.
  template <class F>
  HWY_INLINE void for_panels(F f) {
    const Index vectors = l_.padded / lanes<T>;
    each(call_.team, panel_count(vectors), [&](Index i) {
      const Index begin = panel_begin(vectors, i);
      f(begin * lanes<T>, panel_vectors(vectors - begin));
    });
  }
  template <class F>
  HWY_INLINE void for_row_blocks(F f) {
    for (Index first = 0; first < kept_.count; first += l_.rows_at_once) {
      f(first, std::min(l_.rows_at_once, kept_.count - first));
    }
  }

  // --- products ---
  /// Pre-activations of `parts` parts from `part` on into the tile, (part, row, unit). They use the
  /// columns [from, to) of the state.
  void product(T* tile, Index part, Index parts, Index gate, Index unit, Index vectors, Index first,
               Index rows, Index from, Index to) {
    if (rows == 1 && !call_.starts) {
      return multiply(row_product(tile, part, parts, gate, unit, vectors, first, from, to));
    }
    const Index width = vectors * lanes<T>;
    const T* weights = panel(gate, unit, width) + from * width;
    tile += part * rows * width;
    for (Index i = 0; i < parts; ++i) {
      PanelProduct<T> p;
      fetch_gates(p, part + i, unit, width, first);
      p.add(rows_from<const T>(h_ + from, l_.state_ld, kept_, first), to - from,
            weights + i * l_.K * width);
      p.c = {tile + i * rows * width, width};
      p.vectors = vectors;
      p.columns = width;
      start(p, part + i, unit, first);
      multiply(p, rows);
    }
  }

  /// What the accumulators begin with: the bias, or what a table has of the rows' ids. The product
  /// of h with the candidate's gate has a bias of its own always.
  void start(PanelProduct<T>& p, Index part, Index unit, Index first) const {
    const bool after = l_.shape.cell == CellKind::gru_reset_after;
    if (!call_.starts || (after && part == 2)) {
      p.bias = bias(part, unit);
      return;
    }
    const Index place = (after && part == 3 ? 2 : part) * starts_gate_ + unit;
    p.start = {call_.starts + place, starts_ld_, scratch_.starts + first};
  }

  RowProduct<T> row_product(T* tile, Index part, Index parts, Index gate, Index unit, Index vectors,
                            Index first, Index from, Index to) const {
    const Index width = vectors * lanes<T>;
    RowProduct<T> p;
    p.a = h_ + kept_.row(first) * l_.state_ld + from;
    p.K = to - from;
    p.panel = panel(gate, unit, width) + from * width;
    p.panel_step = l_.K * width;
    p.vectors = vectors;
    p.panels = parts;
    p.bias = bias(part, unit);
    p.bias_step = l_.padded;
    p.c = tile + part * width;
    p.c_step = width;
    return p;
  }

  // What backward reads is written into memory that is in no cache yet: each product fetches a
  // share of where the next step writes.
  void fetch_gates(PanelProduct<T>& p, Index part, Index unit, Index width, Index first) const {
    if (!training_ || first > 0 || step_ + 1 >= l_.shape.time) return;
    const Index all = l_.B * l_.gates_ld, shares = l_.parts() * l_.padded;
    const Index share = l_.parts() * unit + part * width;
    const Index begin = all * share / shares;
    p.next = gates_of_step(step_ + 1) + begin;
    p.next_count = all * (share + width) / shares - begin;
  }

  // --- SimpleRNN ---
  void simple_panel(Index unit, Index vectors) {
    PanelProduct<T> p;
    p.add(rows_from<const T>(h_, l_.state_ld, kept_, 0), l_.K, panel(0, unit, vectors * lanes<T>));
    p.c = rows_from(next_h_ + unit, l_.state_ld, kept_, 0);
    p.vectors = vectors;
    p.columns = vectors * lanes<T>;
    start(p, 0, unit, 0);
    p.relu = l_.shape.activation == Activation("relu");
    multiply(p, kept_.count);
    if (p.relu || l_.shape.activation == Activation("linear")) return;
    with_kind(l_.shape.activation, [&](auto kind) {
      activate_rows<decltype(kind)::value>(kept_.count, p.columns, p.c);
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

  // --- LSTM ---
  // Activations run over whole parts of the tile, one function at a time: its constants stay in
  // registers then.
  void lstm_panel(Index unit, Index vectors) {
    HWY_ALIGN T tile[tile_size];
    for_row_blocks([&](Index first, Index rows) {
      product(tile, 0, 4, 0, unit, vectors, first, rows, 0, l_.K);
      const Index width = vectors * lanes<T>, size = rows * width;
      activate_tile(l_.shape.recurrent_activation, 3 * size, tile);
      activate_tile(l_.shape.activation, size, tile + 3 * size);
      lstm_cells(tile, unit, width, first, rows);
      activate_tile(l_.shape.activation, size, tile);
      lstm_states(tile, unit, width, first, rows);
    });
  }
  // c' = f c + i g, also into the first part of the tile.
  void lstm_cells(T* tiles, Index unit, Index width, Index first, Index rows) {
    const Tag<T> d;
    const Index size = rows * width, P = l_.padded;
    for (Index i = 0; i < rows; ++i) {
      const Index row = kept_.row(first + i);
      T* tile = tiles + i * width;
      const T* old_c = c_ + row * P + unit;
      T* c_row = next_c_ + row * P + unit;
      T* gates = gates_ + row * l_.gates_ld + unit;
      for (Index u = 0; u < width; u += lanes<T>) {
        const auto in = hn::LoadU(d, tile + u), forget = hn::LoadU(d, tile + size + u);
        const auto candidate = hn::LoadU(d, tile + 3 * size + u);
        const auto c = hn::MulAdd(in, candidate, hn::Mul(forget, hn::LoadU(d, old_c + u)));
        hn::StoreU(c, d, c_row + u);
        hn::StoreU(c, d, tile + u);
        if (!training_) continue;
        hn::StoreU(in, d, gates + u);
        hn::StoreU(forget, d, gates + P + u);
        hn::StoreU(candidate, d, gates + 3 * P + u);
      }
    }
  }
  void lstm_states(const T* tiles, Index unit, Index width, Index first, Index rows) {
    const Tag<T> d;
    const Index size = rows * width, P = l_.padded;
    for (Index i = 0; i < rows; ++i) {
      const Index row = kept_.row(first + i);
      const T* tile = tiles + i * width;
      T* h_row = next_h_ + row * l_.state_ld + unit;
      T* gates = gates_ + row * l_.gates_ld + unit;
      for (Index u = 0; u < width; u += lanes<T>) {
        const auto activated_c = hn::LoadU(d, tile + u), out = hn::LoadU(d, tile + 2 * size + u);
        hn::StoreU(hn::Mul(out, activated_c), d, h_row + u);
        if (!training_) continue;
        hn::StoreU(out, d, gates + 2 * P + u);
        hn::StoreU(activated_c, d, gates + 4 * P + u);
      }
    }
  }

  // --- GRU: h' = z h + (1 - z) c, as c + z (h - c) ---
  void reset_after_panel(Index unit, Index vectors) {
    HWY_ALIGN T tile[tile_size];
    for_row_blocks([&](Index first, Index rows) {
      const Tag<T> d;
      const Index width = vectors * lanes<T>, size = rows * width;
      if (rows == 1 && !call_.starts) {
        reset_after_row(tile, unit, vectors, first);
      } else {
        product(tile, 0, 2, 0, unit, vectors, first, rows, 0, l_.K);
        product(tile, 2, 1, 2, unit, vectors, first, rows, 0, l_.U);
        product(tile, 3, 1, 2, unit, vectors, first, rows, l_.U, l_.K);
      }
      activate_tile(l_.shape.recurrent_activation, 2 * size, tile);
      for (Index i = 0; i < size; i += lanes<T>) {
        const auto r = hn::LoadU(d, tile + size + i), q = hn::LoadU(d, tile + 2 * size + i);
        hn::StoreU(hn::MulAdd(r, q, hn::LoadU(d, tile + 3 * size + i)), d, tile + 3 * size + i);
      }
      activate_tile(l_.shape.activation, size, tile + 3 * size);
      reset_after_states(tile, unit, width, first, rows);
    });
  }
  // Three panels at a time: first times h, for z, r, q, then times x, for z, r, c.
  void reset_after_row(T* tile, Index unit, Index vectors, Index first) {
    const Index width = vectors * lanes<T>;
    product(tile, 0, 3, 0, unit, vectors, first, 1, 0, l_.U);
    copy_row(width, tile + 2 * width, tile + 3 * width);
    copy_row(width, bias(3, unit), tile + 2 * width);
    RowProduct<T> p = row_product(tile, 0, 3, 0, unit, vectors, first, l_.U, l_.K);
    p.bias = p.c;
    p.bias_step = p.c_step;
    multiply(p);
    std::swap_ranges(tile + 2 * width, tile + 3 * width, tile + 3 * width);
  }
  void reset_after_states(const T* tiles, Index unit, Index width, Index first, Index rows) {
    const Tag<T> d;
    const Index size = rows * width, P = l_.padded;
    for (Index i = 0; i < rows; ++i) {
      const Index row = kept_.row(first + i);
      const T* tile = tiles + i * width;
      const T* h_row = h_ + row * l_.state_ld + unit;
      T* new_row = next_h_ + row * l_.state_ld + unit;
      T* gates = gates_ + row * l_.gates_ld + unit;
      for (Index u = 0; u < width; u += lanes<T>) {
        const auto z = hn::LoadU(d, tile + u), c = hn::LoadU(d, tile + 3 * size + u);
        hn::StoreU(hn::MulAdd(z, hn::Sub(hn::LoadU(d, h_row + u), c), c), d, new_row + u);
        if (!training_) continue;
        hn::StoreU(z, d, gates + u);
        hn::StoreU(hn::LoadU(d, tile + size + u), d, gates + P + u);
        hn::StoreU(hn::LoadU(d, tile + 2 * size + u), d, gates + 2 * P + u);
        hn::StoreU(c, d, gates + 3 * P + u);
      }
    }
  }

  // Reset before: r h must be whole before the candidate begins.
  void gru_gates_panel(Index unit, Index vectors) {
    HWY_ALIGN T tiles[tile_size];
    for_row_blocks([&](Index first, Index rows) {
      product(tiles, 0, 2, 0, unit, vectors, first, rows, 0, l_.K);
      const Tag<T> d;
      const Index width = vectors * lanes<T>, size = rows * width, P = l_.padded;
      activate_tile(l_.shape.recurrent_activation, 2 * size, tiles);
      for (Index i = 0; i < rows; ++i) {
        const Index row = kept_.row(first + i);
        const T* tile = tiles + i * width;
        const T* h_row = h_ + row * l_.state_ld + unit;
        T* gates = gates_ + row * l_.gates_ld + unit;
        for (Index u = 0; u < width; u += lanes<T>) {
          const auto r = hn::LoadU(d, tile + size + u);
          hn::StoreU(hn::LoadU(d, tile + u), d, gates + u);
          hn::StoreU(r, d, gates + P + u);
          hn::StoreU(hn::Mul(r, hn::LoadU(d, h_row + u)), d, gates + 3 * P + u);
        }
      }
    });
  }
  void gru_candidate_panel(Index unit, Index vectors) {
    HWY_ALIGN T tile[tile_size];
    for_row_blocks([&](Index first, Index rows) {
      const Index width = vectors * lanes<T>;
      PanelProduct<T> p;
      p.add(rows_from<const T>(gates_ + 3 * l_.padded, l_.gates_ld, kept_, first), l_.U,
            panel(2, unit, width));
      p.add(rows_from<const T>(h_ + l_.U, l_.state_ld, kept_, first), l_.F,
            panel(2, unit, width) + l_.U * width);
      p.c = {tile, width};
      p.vectors = vectors;
      p.columns = width;
      start(p, 2, unit, first);
      multiply(p, rows);
      activate_tile(l_.shape.activation, rows * width, tile);
      const Tag<T> d;
      for (Index i = 0; i < rows; ++i) {
        const Index row = kept_.row(first + i);
        const T* h_row = h_ + row * l_.state_ld + unit;
        T* new_row = next_h_ + row * l_.state_ld + unit;
        T* gates = gates_ + row * l_.gates_ld + unit;
        for (Index u = 0; u < width; u += lanes<T>) {
          const auto z = hn::LoadU(d, gates + u);
          const auto c = hn::LoadU(d, tile + i * width + u);
          hn::StoreU(hn::MulAdd(z, hn::Sub(hn::LoadU(d, h_row + u), c), c), d, new_row + u);
          hn::StoreU(c, d, gates + 2 * l_.padded + u);
        }
      }
    });
  }

  // --- masks and outputs ---
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
    const T* h = state(now_);
    const Index rows = l_.B, U = l_.U, ld = l_.state_ld;
    for (Index row = 0; !mask && row < rows; ++row) copy_row(U, h + row * ld, y + row * U);
    for (Index row = 0; mask && row < rows; ++row) {
      const bool old = !mask[row];
      const bool zero = old && (call_.zero_output_for_mask || !scratch_.seen[row]);
      copy_or_zero_row(U, zero ? nullptr : h + row * ld, y + row * U);
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
  const Index starts_ld_, starts_gate_;
  Index step_ = 0;
  Index now_ = 0;  // the state that the next step reads
  Kept kept_;
  const T* h_ = nullptr;
  const T* c_ = nullptr;
  T* next_h_ = nullptr;
  T* next_c_ = nullptr;
  T* gates_ = nullptr;
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
