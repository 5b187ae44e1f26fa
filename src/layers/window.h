// Windows that slide over one axis: what convolutions and pooling share.
#pragma once

#include <string>

#include "unroll/layer.h"

namespace unroll {

/// Where windows lie on an axis of a known size.
struct WindowRange {
  Index out = 0;     ///< windows
  Index before = 0;  ///< zeros before the first place
};

/// Keras's rules. `padding`: "valid": windows that fit; "same": ceil(size / stride) of them, zeros
/// on both sides, the odd one after; "causal": zeros before, so that no window sees what follows.
/// `out` is unknown for an unknown size, and 0 or less where no window fits.
WindowRange slide(Index size, Index window, Index stride, Index dilation,
                  const std::string& padding);

/// The same, for layers. Throws: Error (shape) where no window fits.
WindowRange slide_or_refuse(const Component& layer, const Shape& input, int axis, Index window,
                            Index stride, Index dilation, const std::string& padding);

/// Throws: Error (value) unless `padding` is among those that the layer knows.
void expect_padding(const Component& layer, const std::string& padding, bool causal);
/// Throws: Error (unsupported) for "channels_first".
void expect_channels_last(const Component& layer, const std::string& data_format);
/// One size for each of `axes` axes: sizes that were given as one are repeated.
/// Throws: Error (value) for another count, or a size below 1.
Shape one_per_axis(const Component& layer, std::string_view what, const Shape& given, int axes);
/// Throws: Error (shape) unless the input has this rank; `want` names its axes.
void expect_rank(const Component& layer, std::span<const Shape> inputs, int rank,
                 std::string_view want);

}  // namespace unroll
