// Backward through time.
//
// Step by step, last one first: the gradient dh of the state becomes the gradients of the step's
// pre-activations ("dparts"), and those, times R^T, the gradient of the state before. The dparts of
// a chunk of steps are kept, in ascending time, without masked rows; then one product makes the
// gradients of the weights of them, and one the gradient of the inputs.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/recurrent_backward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <type_traits>

#include "src/kernels/recurrent-inl.h"
#include "src/kernels/recurrent_panels-inl.h"
#include "src/kernels/recurrent_table.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

template <class T>
class Backward {
 public:
  Backward(const RecurrentShape& shape, const RecurrentBackward<T>& call)
      : l_(shape, lanes<T>),
        call_(call),
        scratch_(RecurrentLayout<T>(shape), true, call.scratch),
        panels_(l_, call, scratch_),
        starts_ld_(recurrent_table_width<T>(shape)),
        starts_gate_(RecurrentLayout<T>(shape).padded),
        direct_(call.dstarts && !call.ids && !call.mask &&
                shape.cell != CellKind::gru_reset_after && starts_gate_ == l_.U &&
                call.dstarts_step == l_.B * starts_ld_) {}

  void run() {
    start();
    const Index steps = l_.chunk_steps();
    for (Index end = l_.shape.time; end > 0; end = std::max<Index>(0, end - steps)) {
      at_ = steps * l_.B;
      whole_ = true;
      shift_ = direct_ ? (end - steps) * l_.B : 0;
      const Index begin = std::max<Index>(0, end - steps);
      for (step_ = end - 1; step_ >= begin; --step_) step();
      if (at_ == steps * l_.B) continue;
      weight_gradients(begin);
      if (call_.dx) input_gradients();
      if (call_.dstarts && !direct_) start_gradients();
    }
    finish();
  }

 private:
  const T* state(Index s) const { return call_.saved + s * l_.B * l_.state_ld; }
  const T* cells(Index s) const { return call_.saved + l_.cells_at() + s * l_.B * l_.padded; }
  const T* gates_of_step(Index s) const {
    return call_.saved + l_.gates_at() + s * l_.B * l_.gates_ld;
  }
  const std::uint8_t* mask(Index s) const {
    return call_.mask ? call_.mask + s * call_.mask_step : nullptr;
  }
  /// A row of the chunk's; where they lie as those of `starts` do, they are made in their place.
  T* row_of_dparts(Index row) const {
    return (direct_ ? call_.dstarts : scratch_.dparts) + (shift_ + row) * l_.parts_ld;
  }

  void start() {
    for (Index row = 0; row < l_.B; ++row) {
      copy_or_zero_row(l_.U, call_.dh_last ? call_.dh_last + row * l_.U : nullptr,
                       scratch_.dh + row * l_.padded);
      zero_row(l_.padded - l_.U, scratch_.dh + row * l_.padded + l_.U);
      if (l_.has_cell_state()) {
        copy_or_zero_row(l_.U, call_.dc_last ? call_.dc_last + row * l_.U : nullptr,
                         scratch_.dc + row * l_.padded);
        zero_row(l_.padded - l_.U, scratch_.dc + row * l_.padded + l_.U);
      }
      if (!call_.mask) continue;
      Index first = 0;
      while (first < l_.shape.time && !mask(first)[row]) ++first;
      scratch_.first[row] = first;
    }
    zero_row(l_.parts() * l_.padded, scratch_.sums);
  }

  void step() {
    kept_ = kept_rows(mask(step_), l_.B, scratch_.which);
    take_output_gradients();
    if (kept_.count < l_.B) {
      whole_ = false;
      // Who adds the gradients up by their ids does not know which rows are masked.
      if (call_.dstarts && !call_.ids)
        zero_row(l_.B * starts_ld_, call_.dstarts + step_ * call_.dstarts_step);
    }
    if (kept_.count == 0) return;
    at_ -= kept_.count;
    note_rows();
    dparts_ = row_of_dparts(at_);
    switch (l_.shape.cell) {
      case CellKind::simple_rnn:
        with_kind(l_.shape.activation, [&](auto kind) { simple_parts(Compiled(kind)); });
        return state_gradient(0, 1, false);
      case CellKind::lstm:
        with_activations(l_.shape, [&](auto act, auto rec) { lstm_parts(act, rec); });
        return state_gradient(0, 4, false);
      case CellKind::gru_reset_after:
        with_activations(l_.shape, [&](auto act, auto rec) { reset_after_parts(act, rec); });
        return state_gradient(0, 3, true);
      case CellKind::gru:
        with_activations(l_.shape, [&](auto act, auto rec) { candidate_parts(act, rec); });
        product(scratch_.dproduct, 2, 1, false);
        with_activations(l_.shape, [&](auto, auto rec) { reset_parts(rec); });
        return state_gradient(0, 2, true);
    }
  }

  /// Where the rows of dparts come from, and go to.
  void note_rows() {
    for (Index i = 0; call_.mask && i < kept_.count; ++i) {
      scratch_.source[at_ + i] = step_ * l_.B + kept_.row(i);
    }
    const std::int32_t* ids = call_.ids ? call_.ids + step_ * call_.ids_step : nullptr;
    for (Index i = 0; ids && i < kept_.count; ++i) {
      scratch_.dx_at[at_ + i] = ids[kept_.row(i)] * starts_ld_;
    }
    if (ids) return;
    const Index step = call_.dstarts ? call_.dstarts_step : call_.dx_step;
    const Index ld = call_.dstarts ? starts_ld_ : l_.F;
    for (Index i = 0; !direct_ && i < kept_.count; ++i) {
      scratch_.dx_at[at_ + i] = step_ * step + kept_.row(i) * ld;
    }
  }

  // The output of a masked row is its state, where it has had a step; else it is zeros.
  void take_output_gradients() {
    const bool last = step_ == l_.shape.time - 1;
    // Whole vectors are added as they are used.
    dy_ = call_.dy && !call_.mask && l_.U == l_.padded ? call_.dy + step_ * l_.B * l_.U : nullptr;
    if ((!call_.dy || dy_) && !(last && call_.dlast)) return;
    const std::uint8_t* kept = mask(step_);
    for (Index row = 0; row < l_.B; ++row) {
      const bool old = kept && !kept[row];
      if (old && (call_.zero_output_for_mask || scratch_.first[row] > step_)) continue;
      T* dh = scratch_.dh + row * l_.padded;
      if (call_.dy && !dy_) add_row(l_.U, call_.dy + (step_ * l_.B + row) * l_.U, dh);
      if (last && call_.dlast) add_row(l_.U, call_.dlast + row * l_.U, dh);
    }
  }

  // --- the gradients of a step's pre-activations ---
  /// The gradient of a vector of a row's state.
  T* dh_at(Index row, Index u) const { return scratch_.dh + row * l_.padded + u; }
  HWY_INLINE auto dh_of(Index row, Index u) const {
    const Tag<T> d;
    const auto dh = hn::LoadU(d, dh_at(row, u));
    return dy_ ? hn::Add(dh, hn::LoadU(d, dy_ + row * l_.U + u)) : dh;
  }
  /// Calls f(dparts, gates, row, unit) for every vector of units of the rows that are kept.
  template <class F>
  HWY_INLINE void for_vectors(F f) {
    const Index padded = l_.padded;  // a compiler cannot know that the stores leave l_ as it is
    for (Index i = 0; i < kept_.count; ++i) {
      const Index row = kept_.row(i);
      const T* gates = gates_of_step(step_) + row * l_.gates_ld;
      T* dparts = dparts_ + i * l_.parts_ld;
      for (Index u = 0; u < padded; u += lanes<T>) {
        f(dparts + u, gates + u, row, u);
      }
    }
  }

  template <class Act>
  void simple_parts(Act act) {
    const Tag<T> d;
    // A compiler cannot know that the stores leave the members as they are.
    const Index padded = l_.padded, h_ld = l_.state_ld, ld = l_.parts_ld;
    const Kept kept = kept_;
    const T *states = state(step_ + 1), *dy = dy_, *dh = scratch_.dh;
    T* dparts = dparts_;
    for (Index i = 0; i < kept.count; ++i, dparts += ld) {
      const Index row = kept.row(i);
      const T *h = states + row * h_ld, *dh_row = dh + row * padded;
      for (Index u = 0; u < padded; u += lanes<T>) {
        auto dv = hn::LoadU(d, dh_row + u);
        if (dy) dv = hn::Add(dv, hn::LoadU(d, dy + row * padded + u));
        hn::StoreU(act.back(d, dv, hn::LoadU(d, h + u)), d, dparts + u);
      }
    }
  }

  template <class Act, class Rec>
  void lstm_parts(Act act, Rec rec) {
    const Tag<T> d;
    const Index P = l_.padded;
    for_vectors([&](T* dparts, const T* gates, Index row, Index u) HWY_ATTR {
      const auto i = hn::LoadU(d, gates), f = hn::LoadU(d, gates + P);
      const auto o = hn::LoadU(d, gates + 2 * P), g = hn::LoadU(d, gates + 3 * P);
      const auto activated_c = hn::LoadU(d, gates + 4 * P);
      const auto c = hn::LoadU(d, cells(step_) + row * P + u);
      T* dc_at = scratch_.dc + row * P + u;
      const auto dh = dh_of(row, u);
      const auto dc = hn::Add(hn::LoadU(d, dc_at), act.back(d, hn::Mul(dh, o), activated_c));
      hn::StoreU(rec.back(d, hn::Mul(dc, g), i), d, dparts);
      hn::StoreU(rec.back(d, hn::Mul(dc, c), f), d, dparts + P);
      hn::StoreU(rec.back(d, hn::Mul(dh, activated_c), o), d, dparts + 2 * P);
      hn::StoreU(act.back(d, hn::Mul(dc, i), g), d, dparts + 3 * P);
      hn::StoreU(hn::Mul(dc, f), d, dc_at);
    });
  }

  template <class Act, class Rec>
  void reset_after_parts(Act act, Rec rec) {
    const Tag<T> d;
    const Index P = l_.padded;
    for_vectors([&](T* dparts, const T* gates, Index row, Index u) HWY_ATTR {
      const auto z = hn::LoadU(d, gates), r = hn::LoadU(d, gates + P);
      const auto q = hn::LoadU(d, gates + 2 * P), c = hn::LoadU(d, gates + 3 * P);
      const auto h = hn::LoadU(d, state(step_) + row * l_.state_ld + u);
      const auto dh = dh_of(row, u);
      const auto dc = act.back(d, hn::NegMulAdd(dh, z, dh), c);
      hn::StoreU(rec.back(d, hn::Mul(dh, hn::Sub(h, c)), z), d, dparts);
      hn::StoreU(rec.back(d, hn::Mul(dc, q), r), d, dparts + P);
      hn::StoreU(hn::Mul(dc, r), d, dparts + 2 * P);
      hn::StoreU(dc, d, dparts + 3 * P);
      hn::StoreU(hn::Mul(dh, z), d, dh_at(row, u));
    });
  }

  template <class Act, class Rec>
  void candidate_parts(Act act, Rec rec) {
    const Tag<T> d;
    const Index P = l_.padded;
    for_vectors([&](T* dparts, const T* gates, Index row, Index u) HWY_ATTR {
      const auto z = hn::LoadU(d, gates), c = hn::LoadU(d, gates + 2 * P);
      const auto h = hn::LoadU(d, state(step_) + row * l_.state_ld + u);
      const auto dh = dh_of(row, u);
      hn::StoreU(rec.back(d, hn::Mul(dh, hn::Sub(h, c)), z), d, dparts);
      hn::StoreU(act.back(d, hn::NegMulAdd(dh, z, dh), c), d, dparts + 2 * P);
      hn::StoreU(hn::Mul(dh, z), d, dh_at(row, u));
    });
  }
  // After it dproduct, the gradient of r h.
  template <class Rec>
  void reset_parts(Rec rec) {
    const Tag<T> d;
    const Index P = l_.padded;
    for_vectors([&](T* dparts, const T* gates, Index row, Index u) HWY_ATTR {
      const auto r = hn::LoadU(d, gates + P);
      const auto h = hn::LoadU(d, state(step_) + row * l_.state_ld + u);
      const auto dp = hn::LoadU(d, scratch_.dproduct + row * P + u);
      hn::StoreU(rec.back(d, hn::Mul(dp, h), r), d, dparts + P);
      hn::StoreU(hn::MulAdd(dp, r, hn::LoadU(d, dh_at(row, u))), d, dh_at(row, u));
    });
  }

  // --- products ---
  /// dh of the state before = [dh +] parts [from, to) times their rows of R^T.
  void state_gradient(Index from, Index to, bool accumulate) {
    if (step_ > 0 || call_.dh0) product(scratch_.dh, from, to - from, accumulate);
  }
  /// out (B, U padded), at the kept rows, = [out +] parts times R^T. Meanwhile what the step before
  /// reads is fetched: its gates, or a SimpleRNN's state.
  void product(T* out, Index part, Index parts, bool accumulate) {
    const T* panels = call_.packed + l_.recurrent_transposed_at();
    const bool simple = l_.shape.cell == CellKind::simple_rnn;
    const T* gates = simple ? state(step_) : gates_of_step(std::max<Index>(step_ - 1, 0));
    const Index fetched = step_ > 0 ? l_.B * (simple ? l_.state_ld : l_.gates_ld) : 0;
    const Index vectors = l_.padded / lanes<T>;
    each(call_.team, panel_count(vectors), [&](Index i) {
      const Index unit = panel_begin(vectors, i) * lanes<T>;
      PanelProduct<T> p;
      p.accumulate = accumulate;
      p.vectors = panel_vectors(vectors - panel_begin(vectors, i));
      const Index width = p.vectors * lanes<T>;
      const Index begin = fetched * unit / l_.padded;
      p.next = gates + begin;
      p.next_count = fetched * (unit + width) / l_.padded - begin;
      const T* panel = panels + l_.G * l_.U * unit + part * l_.U * width;
      add_parts(p, dparts_, part, parts, panel, width);
      p.c = rows_from(out + unit, l_.padded, kept_, 0);
      p.columns = width;
      multiply(p, kept_.count);
    });
  }
  /// Parts without gaps between them are one long row.
  void add_parts(PanelProduct<T>& p, const T* dparts, Index part, Index parts, const T* panel,
                 Index width) {
    const Index together = l_.padded == l_.U ? parts : 1;
    for (Index i = 0; i < parts; i += together) {
      p.add({dparts + (part + i) * l_.padded, l_.parts_ld}, together * l_.U,
            panel + i * l_.U * width);
    }
  }

  void input_gradients() {
    const Index rows = l_.chunk_steps() * l_.B - at_;
    const T* dparts = row_of_dparts(at_);
    const bool after = l_.shape.cell == CellKind::gru_reset_after;
    const Index vectors = vectors_for(l_.F, lanes<T>);
    each(call_.team, panel_count(vectors), [&](Index i) {
      const Index feature = panel_begin(vectors, i) * lanes<T>;
      PanelProduct<T> p;
      p.accumulate = true;
      p.vectors = panel_vectors(vectors - panel_begin(vectors, i));
      const Index width = p.vectors * lanes<T>;
      const T* panel = call_.packed + l_.kernel_transposed_at() + l_.G * l_.U * feature;
      add_parts(p, dparts, 0, after ? 2 : l_.G, panel, width);
      if (after) add_parts(p, dparts, 3, 1, panel + 2 * l_.U * width, width);
      p.c = {call_.dx + feature, 1, scratch_.dx_at + at_};
      p.columns = std::min(width, l_.F - feature);
      multiply(p, rows);
    });
  }

  /// Gate by gate, without the product of h that a candidate has for itself, and without padding:
  /// what is there may be no number.
  void start_gradients() {
    const bool after = l_.shape.cell == CellKind::gru_reset_after;
    const Index rows = l_.chunk_steps() * l_.B - at_;
    for (Index m = 0; m < rows; ++m) {
      const T* from = row_of_dparts(at_ + m);
      T* to = call_.dstarts + scratch_.dx_at[at_ + m];
      for (Index gate = 0; gate < l_.G; ++gate) {
        const Index part = after && gate == 2 ? 3 : gate;
        if (call_.ids) {
          add_row(l_.U, from + part * l_.padded, to + gate * starts_gate_);
          continue;
        }
        copy_row(l_.U, from + part * l_.padded, to + gate * starts_gate_);
        zero_row(starts_gate_ - l_.U, to + gate * starts_gate_ + l_.U);
      }
    }
  }

  // --- gradients of weights ---
  void weight_gradients(Index begin) {
    const Index M = l_.chunk_steps() * l_.B - at_;
    const T* states = state(begin);
    const T* products = gates_of_step(begin) + 3 * l_.padded;  // r h, of GRU with reset before
    Index products_ld = l_.gates_ld;
    if (!whole_) {
      gather(M);
      states = scratch_.states;
      products = scratch_.products;
      products_ld = l_.padded;
    }
    if (l_.sums_in_panels()) {
      return panels_.add(M, {states, l_.state_ld}, {products, products_ld}, row_of_dparts(at_));
    }
    switch (l_.shape.cell) {
      case CellKind::simple_rnn:
      case CellKind::lstm:
        for (Index part = 0; part < l_.G; ++part) {
          gradient(M, part, l_.keras_gate(part), states, l_.state_ld, true, true, true);
        }
        return;
      case CellKind::gru_reset_after:
        for (Index part = 0; part < 2; ++part) {
          gradient(M, part, part, states, l_.state_ld, true, true, true);
        }
        gradient(M, 2, 2, states, l_.state_ld, true, false, false);
        gradient(M, 2, 2, states + l_.K, l_.state_ld, false, false, true);
        return gradient(M, 3, 2, states + l_.U, l_.state_ld, false, true, true);
      case CellKind::gru:
        for (Index part = 0; part < 2; ++part) {
          gradient(M, part, part, states, l_.state_ld, true, true, true);
        }
        gradient(M, 2, 2, products, products_ld, true, false, false);
        return gradient(M, 2, 2, states + l_.U, l_.state_ld, false, true, true);
    }
  }

  void gather(Index M) {
    for (Index m = 0; m < M; ++m) {
      const Index from = scratch_.source[at_ + m];
      copy_row(l_.K + 1, state(0) + from * l_.state_ld, scratch_.states + m * l_.state_ld);
      if (l_.shape.cell != CellKind::gru) continue;
      copy_row(l_.U, gates_of_step(0) + from * l_.gates_ld + 3 * l_.padded,
               scratch_.products + m * l_.padded);
    }
  }

  /// The gradients of a gate's columns of R (from the columns h of a), W (x) and b (1): those of
  /// the three that a begins with.
  void gradient(Index M, Index part, Index gate, const T* a, Index lda, bool h, bool x, bool one) {
    TransposedProduct<T> p;
    p.M = M;
    p.N = l_.U;
    p.a = a;
    p.lda = lda;
    p.wide_a = h && (x || l_.shape.cell == CellKind::gru);  // whole rows, or rows of r h: padded
    p.d = row_of_dparts(at_) + part * l_.padded;
    p.ldd = l_.parts_ld;
    const Index ld = l_.G * l_.U;
    int places = 0;
    const auto flush = [&] {
      if (places > 0) shared(p);
      p.a += p.K();
      for (auto& place : p.places) place = {};
      places = 0;
    };
    const auto add = [&](bool there, T* to, Index rows, Index to_ld) {
      if (!there || rows == 0) return;
      if (to) {
        p.places[places++] = {to, rows, to_ld};
      } else {
        flush();
        p.a += rows;
      }
    };
    add(h, call_.drecurrent_kernel ? call_.drecurrent_kernel + gate * l_.U : nullptr, l_.U, ld);
    add(x, call_.dkernel ? call_.dkernel + gate * l_.U : nullptr, l_.F, ld);
    add(one, call_.dbias ? scratch_.sums + part * l_.padded : nullptr, 1, l_.padded);
    flush();
  }

  /// A team shares the columns.
  void shared(const TransposedProduct<T>& p) {
    const Index width = call_.team ? 12 * lanes<T> : p.N;
    each(call_.team, (p.N + width - 1) / width, [&](Index i) {
      TransposedProduct<T> part = p.part(0, p.K(), i * width);
      part.N = std::min(width, part.N);
      part.d += i * width;
      multiply(part);
    });
  }

  void finish() {
    if (l_.sums_in_panels()) panels_.give();
    for (Index row = 0; row < l_.B; ++row) {
      if (call_.dh0) add_row(l_.U, scratch_.dh + row * l_.padded, call_.dh0 + row * l_.U);
      if (call_.dc0) add_row(l_.U, scratch_.dc + row * l_.padded, call_.dc0 + row * l_.U);
    }
    if (!call_.dbias) return;
    const bool two_rows = l_.shape.cell == CellKind::gru_reset_after;
    for (Index part = 0; part < l_.parts(); ++part) {
      const T* sums = scratch_.sums + part * l_.padded;
      const Index gate = two_rows ? std::min<Index>(part, 2) : l_.keras_gate(part);
      if (part != 2 || !two_rows) add_row(l_.U, sums, call_.dbias + gate * l_.U);
      if (two_rows && part < 3) add_row(l_.U, sums, call_.dbias + (l_.G + gate) * l_.U);
    }
  }

  const RecurrentLayout<T> l_;
  const RecurrentBackward<T>& call_;
  const BackwardScratch<T> scratch_;
  PanelSums<T> panels_;
  const Index starts_ld_, starts_gate_;
  const bool direct_;
  Index step_ = 0;
  Index at_ = 0;       // the first row of dparts that is filled: they are filled from the end
  bool whole_ = true;  // no row of the chunk is masked
  Kept kept_;
  Index shift_ = 0;        // from row 0 of `starts` to row 0 of the chunk
  T* dparts_ = nullptr;    // of the step
  const T* dy_ = nullptr;  // of the step; null: added to dh already
};

}  // namespace

void BackwardFloat(const RecurrentShape& shape, const RecurrentBackward<float>& call) {
  Backward<float>(shape, call).run();
}
void BackwardDouble(const RecurrentShape& shape, const RecurrentBackward<double>& call) {
  Backward<double>(shape, call).run();
}

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll::kernels {

HWY_EXPORT(BackwardFloat);
HWY_EXPORT(BackwardDouble);

template <class T>
void recurrent_backward(const RecurrentShape& shape, const RecurrentBackward<T>& call) {
  if constexpr (std::is_same_v<T, float>) {
    HWY_DYNAMIC_DISPATCH(BackwardFloat)(shape, call);
  } else {
    HWY_DYNAMIC_DISPATCH(BackwardDouble)(shape, call);
  }
}
template void recurrent_backward(const RecurrentShape&, const RecurrentBackward<float>&);
template void recurrent_backward(const RecurrentShape&, const RecurrentBackward<double>&);

}  // namespace unroll::kernels
#endif
