// Recurrences that work on each number of the state by itself: h_t = a_t * h_{t-1} + b_t and its
// kin.
//
// Letters: T steps, B rows, U units, G gates, S numbers of a row's state (2 U for complex, else U).
// What a step needs of its input is the sum p (G U) that one product has left for all steps; then
//
//   complex    c' = lambda c + p               lambda (2, U): real parts, imaginary parts; so c, p
//   min_gru    z = sig(p0)  g = act(p1)        c' = (1 - z) c + z g
//   min_lstm   f, i = sig(p0, p1)  g = act(p2) c' = (f c + i g) / (f + i)
//   qrnn       g = act(p0)  f, o = sig(p1, p2) c' = f c + (1 - f) g        y = o c'
//   sru        f = sig(p1 + vf c)  r = sig(p2 + vr c)   v (2, U)
//                                              c' = f c + (1 - f) p0       y = r c' + (1 - r) s
//   ind_rnn    v (U)                           c' = act(p + v c)
//
// where y is not said, it is c'. s: what SRU's highway brings, a scale times x or times a fourth
// part of p; without a highway it is 0.
//
// A step is as wide as all units, and time is walked: one pass over p, so the memory's speed is the
// limit (measured: two passes, the first over chunks of time, are slower on one thread). Callers go
// through time in chunks that stay in the cache. A number has the same bits whatever chunk it is
// in.
//
// Masks: a step with mask[t][b] == 0 keeps the row's state; its y is 0.
#pragma once

#include <cstdint>

#include "unroll/activation.h"
#include "unroll/index.h"

namespace unroll::kernels {

enum class ScanKind { complex, min_gru, min_lstm, qrnn, sru, ind_rnn };

struct ScanShape {
  ScanKind kind = ScanKind::min_gru;
  Index time = 0, rows = 0, units = 0;
  Activation activation = "linear";
  bool skips = false;  ///< SRU: s is a fourth part of p
};

constexpr Index scan_gates(const ScanShape& s) noexcept {
  if (s.kind == ScanKind::ind_rnn) return 1;
  if (s.kind == ScanKind::complex || s.kind == ScanKind::min_gru) return 2;
  return s.skips ? 4 : 3;
}
constexpr Index scan_state(const ScanShape& s) noexcept {
  return s.kind == ScanKind::complex ? 2 * s.units : s.units;
}
/// Whether y is another number than c'.
constexpr bool scan_has_output(ScanKind kind) noexcept {
  return kind == ScanKind::qrnn || kind == ScanKind::sru;
}
/// Whether these kernels have the activation: those whose derivative follows from their output.
bool can_scan(const ScanShape& shape) noexcept;

template <class T>
struct ScanForward {
  T* gates = nullptr;          // (T, B, G U) p; afterwards the gates, for backward
  const T* weights = nullptr;  // lambda or v
  const T* skip = nullptr;     // (T, B, U) SRU's x; null: none, or a part of p
  T skip_scale = 1;
  const std::uint8_t* mask = nullptr;  // (T, B)
  const T* before = nullptr;           // (B, S) the state before the first step
  T* states = nullptr;                 // (T, B, S) c' of each step
  T* y = nullptr;                      // (T, B, U) where scan_has_output
};
template <class T>
void scan_forward(const ScanShape& shape, const ScanForward<T>& call);

/// `gates` and `states` are what forward left; d... that are added to may be null: not wanted.
template <class T>
struct ScanBackward {
  const T* gates = nullptr;
  const T* weights = nullptr;
  const T* skip = nullptr;
  T skip_scale = 1;
  const std::uint8_t* mask = nullptr;
  const T* before = nullptr;
  const T* states = nullptr;
  const T* dy = nullptr;  // (T, B, S), where scan_has_output (T, B, U); null: zeros
  T* dstate = nullptr;    // (B, S) of the state after the last step; afterwards of `before`
  T* dgates = nullptr;    // (T, B, G U) written: of p
  T* dweights = nullptr;  // (2, U) or (U), added to; never null where there are weights
  T* dskip = nullptr;     // (T, B, U), added to
};
template <class T>
void scan_backward(const ScanShape& shape, const ScanBackward<T>& call);

/// The bare recurrence: h_t = a_t h_{t-1} + b_t for n numbers side by side.
/// a, b, h (T, n); h0 (n) or null: zeros. h may be b.
template <class T>
void linear_scan(Index time, Index n, const T* a, const T* b, const T* h0, T* h);
/// da, db (T, n), dh0 (n) are added to; null ones are not computed. `carry` (n): zeros, or the
/// gradient of what comes after the last step; afterwards that of h0.
template <class T>
void linear_scan_backward(Index time, Index n, const T* a, const T* h0, const T* h, const T* dh,
                          T* carry, T* da, T* db);

}  // namespace unroll::kernels
