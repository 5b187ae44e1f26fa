// Where everything lies in the buffers of the recurrent kernels.
//
// L: numbers in a vector; U is padded to a multiple of L. "Parts" are the gates in the order of
// these kernels, which keeps gates of one activation together:
//   SimpleRNN  h        GRU  z r c        GRU reset_after  z r q c (q = h Rh + b1h)        LSTM  i
//   f o g
//
// packed   bias (parts, U padded) | weights [panel of units][gate][U + F][panel's width]
//          | R^T [panel of units][gates U][width] | W^T [panel of features][gates U][width]
// saved    states (T + 1, B, [h | x | 1]): row s is what step s reads. One product over such rows
// gives
//          the gradients of R, W and b at once. | LSTM: c (T + 1, B, U padded)
//          | gates (T, B, saved parts): GRU z r c r*h; reset_after z r q c; LSTM i f o g act(c)
#pragma once

#include "src/base/aligned.h"
#include "src/kernels/gemm_tile.h"
#include "src/kernels/recurrent.h"

namespace unroll::kernels {

template <class T>
struct RecurrentLayout {
  static constexpr Index line = base::cache_line / static_cast<Index>(sizeof(T));
  static constexpr Index rows_at_once = 16;  // of a tile of pre-activations, which stays in L1

  /// lanes: L. With a whole cache line, the sizes are those of the largest layout.
  explicit RecurrentLayout(const RecurrentShape& s, Index lanes = line)
      : shape(s),
        B(s.rows),
        F(s.features),
        U(s.units),
        G(gates(s.cell)),
        K(U + F),
        padded(base::round_up(U, lanes)),
        padded_features(base::round_up(F, lanes)),
        state_ld(spread(base::round_up(K + 1, lanes))),
        gates_ld(spread(saved_parts() * padded)),
        parts_ld(spread(parts() * padded)) {}

  Index parts() const noexcept { return shape.cell == CellKind::gru_reset_after ? 4 : G; }
  Index saved_parts() const noexcept {
    if (shape.cell == CellKind::simple_rnn) return 0;
    return shape.cell == CellKind::lstm ? 5 : 4;
  }
  bool has_cell_state() const noexcept { return shape.cell == CellKind::lstm; }
  /// Keras's place of the gate that is the i-th here.
  Index keras_gate(Index i) const noexcept { return has_cell_state() && i > 1 ? 5 - i : i; }

  // --- packed
  Index weights_at() const noexcept { return base::round_up(parts() * padded, line); }
  Index recurrent_transposed_at() const noexcept { return weights_at() + G * K * padded; }
  Index kernel_transposed_at() const noexcept { return recurrent_transposed_at() + G * U * padded; }
  Index packed_size(bool training) const noexcept {
    return training ? kernel_transposed_at() + G * U * padded_features : recurrent_transposed_at();
  }

  // --- saved
  Index cells_at() const noexcept { return (shape.time + 1) * B * state_ld; }
  Index gates_at() const noexcept {
    return cells_at() + (has_cell_state() ? (shape.time + 1) * B * padded : 0);
  }
  Index saved_size() const noexcept { return gates_at() + shape.time * B * gates_ld; }

  /// Steps whose gate gradients are kept until one product turns them into weight gradients: about
  /// as many rows as fit L1 (small cells) or let the weights' gradients rest in L2 (large ones).
  Index chunk_steps() const noexcept {
    const Index rows = U <= 128 ? 64 : 128;
    return B == 0 ? 1 : rows <= B ? 1 : rows / B;
  }

  /// Whether the gradients of the weights are summed up in panels, strip by strip of their rows: of
  /// h, then of x and of 1. That pays where they do not stay in L2, and where there are many rows.
  bool sums_in_panels() const noexcept {
    constexpr Index cache = (Index{1} << 19) / static_cast<Index>(sizeof(T));
    return K * G * padded > cache && shape.time * B >= 2 * strip_rows;
  }
  Index h_strips() const noexcept { return strips_for(U); }
  Index x_strips() const noexcept { return strips_for(F + 1); }
  Index panel_rows() const noexcept { return (h_strips() + x_strips()) * strip_width; }

  /// A row length whose rows do not all fall into the same few sets of the caches.
  static constexpr Index spread(Index length) noexcept {
    return length % (8 * line) == 0 ? length + line : length;
  }

  RecurrentShape shape;
  Index B, F, U, G, K;
  Index padded, padded_features;
  Index state_ld, gates_ld, parts_ld;
};

/// Scratch, cut from one buffer piece by piece; with a null buffer it only counts.
template <class T>
class ScratchCutter {
 public:
  explicit ScratchCutter(T* buffer) : buffer_(buffer) {}
  T* numbers(Index count) { return static_cast<T*>(take(count)); }
  Index* indices(Index count) {
    return static_cast<Index*>(
        take(count * static_cast<Index>(sizeof(Index)) / static_cast<Index>(sizeof(T))));
  }
  Index used() const noexcept { return used_; }

 private:
  void* take(Index count) {
    T* at = buffer_ ? buffer_ + used_ : nullptr;
    used_ += base::round_up(count, RecurrentLayout<T>::line);
    return at;
  }

  T* buffer_;
  Index used_ = 0;
};

template <class T>
struct ForwardScratch {
  ForwardScratch(const RecurrentLayout<T>& l, bool training, T* buffer) {
    ScratchCutter<T> cut(buffer);
    which = cut.indices(l.B);
    seen = cut.indices(l.B);
    starts = cut.indices(l.B);
    if (!training) {
      states = cut.numbers(2 * l.B * l.state_ld);
      if (l.has_cell_state()) cells = cut.numbers(2 * l.B * l.padded);
      if (l.shape.cell == CellKind::gru) gates = cut.numbers(l.B * l.gates_ld);
    }
    size = cut.used();
  }
  Index* which = nullptr;   // the rows of a step that are kept
  Index* seen = nullptr;    // whether a row has had a step that was kept
  Index* starts = nullptr;  // what the rows of a step that are kept start from
  T* states = nullptr;      // without `saved`: of this step and the next
  T* cells = nullptr;
  T* gates = nullptr;
  Index size = 0;
};

template <class T>
struct BackwardScratch {
  BackwardScratch(const RecurrentLayout<T>& l, bool masked, T* buffer) {
    ScratchCutter<T> cut(buffer);
    const Index rows = l.chunk_steps() * l.B;
    which = cut.indices(l.B);
    first = cut.indices(l.B);
    source = cut.indices(rows);
    dx_at = cut.indices(rows);
    dh = cut.numbers(l.B * l.padded);
    dparts = cut.numbers(rows * l.parts_ld);
    sums = cut.numbers(l.parts() * l.padded);
    if (l.has_cell_state()) dc = cut.numbers(l.B * l.padded);
    if (l.shape.cell == CellKind::gru) dproduct = cut.numbers(l.B * l.padded);
    if (l.sums_in_panels()) {
      panels = cut.numbers(l.parts() * l.padded * l.panel_rows());
      strips = cut.numbers(strip_rows * l.panel_rows());
      if (l.shape.cell == CellKind::gru) {
        product_strips = cut.numbers(strip_rows * l.h_strips() * strip_width);
      }
    }
    if (masked) {
      states = cut.numbers(rows * l.state_ld);
      if (l.shape.cell == CellKind::gru) products = cut.numbers(rows * l.padded);
    }
    size = cut.used();
  }
  Index* which = nullptr;
  Index* first = nullptr;   // a row's first step that is kept
  Index* source = nullptr;  // of a row of dparts: step * B + row
  Index* dx_at = nullptr;   // of a row of dparts: where its row of dx (or dstarts) begins
  T* dh = nullptr;          // (B, U padded) gradient of the state between two steps
  T* dc = nullptr;
  T* dparts = nullptr;  // gradients of the pre-activations of a chunk of steps, without masked rows
  T* sums = nullptr;    // (parts, U padded) of the bias
  T* dproduct = nullptr;
  T* panels = nullptr;  // (parts, panel of units, rows, width): gradients of the weights
  T* strips = nullptr;  // of the columns of states; below of r * h
  T* product_strips = nullptr;
  T* states = nullptr;  // rows of states and r * h without the masked ones
  T* products = nullptr;
  Index size = 0;
};

}  // namespace unroll::kernels
