// Whole sequences through a SimpleRNN, GRU or LSTM, forward and backward.
//
// Letters: T steps, B rows, F features, U units, G gates (SimpleRNN 1, GRU 3, LSTM 4).
//   x (T, B, F)   kernel W (F, G U)   recurrent kernel R (U, G U)   bias b, Keras's layouts:
//   SimpleRNN, LSTM (G U); GRU reset_after (2, 3 U), row 0 input, row 1 recurrent; GRU otherwise (3
//   U).
// Gate order along the last axis: GRU z, r, h; LSTM i, f, c, o.
//
//   SimpleRNN         h' = act(x W + b + h R)
//   GRU               z = rec(x Wz + bz + h Rz)   r = rec(x Wr + br + h Rr)
//     reset_after       c = act(x Wh + bh + r * (h Rh + b1h))          (b1: row 1 of the bias)
//     otherwise         c = act(x Wh + bh + (r * h) Rh)
//                     h' = z * h + (1 - z) * c
//   LSTM              i, f, o = rec(...)   g = act(...)   c' = f * c + i * g   h' = o * act(c')
//
// Steps are counted in the order of processing: step s reads x + s * x_step and mask + s *
// mask_step. To go backwards through time, point x at its last step and make both strides negative.
//
// Masks: mask[s][b] == 0 means the row keeps its state at that step, and its output repeats the
// row's previous output (zeros before its first kept step), or is zero with zero_output_for_mask.
// Masked rows are not computed. A row has the same bits whatever rows are beside it.
//
// Where x are rows of a table, they can be multiplied by W before (recurrent_table.h): each row of
// a step then starts from x W + b of its id. Features are 0 in such a call, and x, W and the
// kernel's gradient are not used.
//
// One call runs on one thread, or shares the products of a step among a team (the same bits: every
// element has one accumulator). It allocates nothing, and needs `scratch` of the size that is asked
// for. packed, saved and scratch begin at a multiple of a cache line, as an arena's memory does.
// What is in them suits this processor's instruction set and is for these kernels only.
#pragma once

#include <cstdint>

#include "unroll/activation.h"
#include "unroll/index.h"

namespace unroll::base {
class Workers;
}

namespace unroll::kernels {

enum class CellKind { simple_rnn, gru, gru_reset_after, lstm };

constexpr Index gates(CellKind cell) noexcept {
  return cell == CellKind::simple_rnn ? 1 : cell == CellKind::lstm ? 4 : 3;
}

/// What is computed; everything that a buffer's size depends on.
struct RecurrentShape {
  CellKind cell = CellKind::simple_rnn;
  Index time = 0, rows = 0, features = 0, units = 0;
  Activation activation = "tanh";
  Activation recurrent_activation = "sigmoid";
};

/// Whether these kernels can run a cell with these activations: those whose derivative follows from
/// their output. Any other goes through the cell's step in ordinary ops.
bool fused(const RecurrentShape& shape) noexcept;

/// Numbers of: the packed weights (forward and, for training, transposed), what forward saves for
/// backward, and scratch for either call.
template <class T>
Index recurrent_packed_size(const RecurrentShape& shape);
template <class T>
Index recurrent_saved_size(const RecurrentShape& shape);
template <class T>
Index recurrent_scratch_size(const RecurrentShape& shape, bool training);

/// Packs Keras's row-major weights; once an update. `time` and `rows` of the shape do not matter.
/// bias may be null. With training false the transposed panels, which backward needs, are left out.
template <class T>
void recurrent_pack(const RecurrentShape& shape, const T* kernel, const T* recurrent_kernel,
                    const T* bias, bool training, T* packed);

template <class T>
struct RecurrentForward {
  const T* x = nullptr;
  Index x_step = 0;  // numbers from one step to the next; rows of a step are contiguous
  const std::uint8_t* mask = nullptr;
  Index mask_step = 0;
  bool zero_output_for_mask = false;
  const T* starts = nullptr;  // rows of recurrent_table_width(shape) numbers; null: x counts
  const std::int32_t* ids = nullptr;  // (T, B): which of them
  Index ids_step = 0;
  const T* h0 = nullptr;  // (B, U); null: zeros
  const T* c0 = nullptr;  // LSTM only
  const T* packed = nullptr;
  T* y = nullptr;       // (T, B, U) outputs in the order of processing; null: not wanted
  T* h_last = nullptr;  // (B, U) the state after the last step; null: not wanted
  T* c_last = nullptr;  // LSTM only
  T* last = nullptr;    // (B, U) the output of the last step (differs from h_last where masked)
  T* saved = nullptr;   // null: inference, backward will not be called
  T* scratch = nullptr;
  base::Workers* team = nullptr;  // shares the products of each step; null: this thread alone
};

template <class T>
void recurrent_forward(const RecurrentShape& shape, const RecurrentForward<T>& call);

/// Gradients. The inputs are those of the forward call; `saved` is what it left. Every d... that
/// is an output is added to; null ones are not computed. Every one that is an input may be null:
/// zero.
template <class T>
struct RecurrentBackward {
  const T* x = nullptr;
  Index x_step = 0;
  const std::uint8_t* mask = nullptr;
  Index mask_step = 0;
  bool zero_output_for_mask = false;
  const T* h0 = nullptr;
  const T* c0 = nullptr;
  const T* packed = nullptr;
  const T* saved = nullptr;
  const T* dy = nullptr;       // (T, B, U)
  const T* dlast = nullptr;    // (B, U)
  const T* dh_last = nullptr;  // (B, U)
  const T* dc_last = nullptr;  // (B, U)
  T* dx = nullptr;             // stepped by dx_step, as x
  Index dx_step = 0;
  // Of `starts`: of every step, (T, B, recurrent_table_width(shape)), written and not added to; or,
  // with `ids`, numbered as they are, each step's added to its id's.
  T* dstarts = nullptr;
  Index dstarts_step = 0;
  const std::int32_t* ids = nullptr;
  Index ids_step = 0;
  T* dkernel = nullptr;  // (F, G U), row-major, Keras's layout; likewise the next two
  T* drecurrent_kernel = nullptr;
  T* dbias = nullptr;
  T* dh0 = nullptr;
  T* dc0 = nullptr;
  T* scratch = nullptr;
  base::Workers* team = nullptr;
};

template <class T>
void recurrent_backward(const RecurrentShape& shape, const RecurrentBackward<T>& call);

}  // namespace unroll::kernels
