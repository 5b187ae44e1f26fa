// Gradients of weights that do not stay in L2 (RecurrentLayout::sums_in_panels): summed up in
// panels over all steps, and added to Keras's layout at the end.

#if defined(UNROLL_KERNELS_RECURRENT_PANELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_RECURRENT_PANELS_INL_H_
#undef UNROLL_KERNELS_RECURRENT_PANELS_INL_H_
#else
#define UNROLL_KERNELS_RECURRENT_PANELS_INL_H_
#endif

#include <algorithm>

#include "src/kernels/recurrent-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

template <class T>
class PanelSums {
 public:
  PanelSums(const RecurrentLayout<T>& layout, const RecurrentBackward<T>& call,
            const BackwardScratch<T>& scratch)
      : l_(layout), call_(call), scratch_(scratch) {}

  /// M rows of states [h | x | 1], of r h (only GRU with reset before has them), and of dparts.
  void add(Index M, Rows<const T> states, Rows<const T> products, const T* dparts) {
    for (Index m = 0; m < M; m += strip_rows) {
      add_piece(std::min(strip_rows, M - m), {states.at(m), states.ld},
                {products.base ? products.at(m) : nullptr, products.ld}, dparts + m * l_.parts_ld);
    }
  }
  /// Adds the sums to the gradients that the caller wants.
  void give() {
    if (!summed_) return;
    const Index ld = l_.G * l_.U, x_row = l_.h_strips() * strip_width;
    const bool after = l_.shape.cell == CellKind::gru_reset_after;
    for_gradient_panels([&](Index part, Index unit, Index vectors) {
      const Index width = vectors * lanes<T>, columns = std::min(width, l_.U - unit);
      const Index gate = after ? std::min<Index>(part, 2) : l_.keras_gate(part);
      const T* c = panel_of_gradients(part, unit);
      const auto add = [&](Index from, Index rows, T* to) {
        for (Index row = 0; row < rows; ++row) {
          add_row(columns, c + (from + row) * width, to + row * ld + gate * l_.U + unit);
        }
      };
      if (call_.drecurrent_kernel && !(after && part == 3)) add(0, l_.U, call_.drecurrent_kernel);
      if (call_.dkernel && !(after && part == 2)) add(x_row, l_.F, call_.dkernel);
      if (call_.dbias) {
        copy_row(columns, c + (x_row + l_.F) * width, scratch_.sums + part * l_.padded + unit);
      }
    });
  }

 private:
  T* panel_of_gradients(Index part, Index unit) const {
    return scratch_.panels + (part * l_.padded + unit) * l_.panel_rows();
  }
  /// f(part, unit, vectors) of each panel; a team shares them.
  template <class F>
  void for_gradient_panels(F f) {
    const Index vectors = l_.padded / lanes<T>, panels = panel_count(vectors);
    each(call_.team, l_.parts() * panels, [&](Index i) {
      const Index begin = panel_begin(vectors, i % panels);
      f(i / panels, begin * lanes<T>, panel_vectors(vectors - begin));
    });
  }
  void add_piece(Index rows, Rows<const T> states, Rows<const T> products, const T* dparts) {
    const Index h_strips = call_.drecurrent_kernel ? l_.h_strips() : 0;
    const Index x_strips = call_.dkernel || call_.dbias ? l_.x_strips() : 0;
    const Index x_at = strip_rows * l_.h_strips() * strip_width;
    if (h_strips > 0) pack_strips(rows, l_.U, states.base, states.ld, scratch_.strips);
    if (x_strips > 0) {
      pack_strips(rows, l_.F + 1, states.base + l_.U, states.ld, scratch_.strips + x_at);
    }
    const bool product = l_.shape.cell == CellKind::gru && h_strips > 0;
    if (product) {
      pack_strips(rows, l_.U, products.base, products.ld, scratch_.product_strips);
    }
    const bool after = l_.shape.cell == CellKind::gru_reset_after;
    for_gradient_panels([&](Index part, Index unit, Index vectors) {
      const Index width = vectors * lanes<T>;
      HWY_ALIGN T d[strip_rows * 3 * lanes<T>];
      copy_block(rows, width, dparts + part * l_.padded + unit, l_.parts_ld, d, width);
      T* c = panel_of_gradients(part, unit);
      if (!after || part != 3) {
        multiply_strips(rows, product && part == 2 ? scratch_.product_strips : scratch_.strips,
                        h_strips, d, vectors, summed_, c);
      }
      // Of x and 1. What a candidate of reset_after makes of h has nothing of x.
      const Index first = after && part == 2 && x_strips > 0 ? x_strips - 1 : 0;
      multiply_strips(rows, scratch_.strips + x_at + first * strip_width * rows, x_strips - first,
                      d, vectors, summed_, c + (l_.h_strips() + first) * strip_width * width);
    });
    summed_ = true;
  }

  const RecurrentLayout<T>& l_;
  const RecurrentBackward<T>& call_;
  const BackwardScratch<T>& scratch_;
  bool summed_ = false;
};

}  // namespace
}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
