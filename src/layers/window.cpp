#include "src/layers/window.h"

#include <algorithm>

#include "src/layers/plain.h"

namespace unroll {

WindowRange slide(Index size, Index window, Index stride, Index dilation,
                  const std::string& padding) {
  const Index reach = (window - 1) * dilation + 1;
  if (size == unknown) return {.out = unknown, .before = 0};
  if (padding == "same") {
    const Index out = (size + stride - 1) / stride;
    const Index zeros = std::max<Index>((out - 1) * stride + reach - size, 0);
    return {.out = out, .before = zeros / 2};
  }
  const Index before = padding == "causal" ? reach - 1 : 0;
  const Index room = size + before - reach;
  return {.out = room < 0 ? 0 : room / stride + 1, .before = before};
}

WindowRange slide_or_refuse(const Component& layer, const Shape& input, int axis, Index window,
                            Index stride, Index dilation, const std::string& padding) {
  const WindowRange range = slide(input[axis], window, stride, dilation, padding);
  if (range.out > 0 || range.out == unknown) return range;
  throw Error(ErrorKind::shape, titled(layer) + ": the input is shorter than the window",
              {.got = input.to_string(),
               .want = "at least " + std::to_string((window - 1) * dilation + 1) + " along axis " +
                       std::to_string(axis),
               .hint = "padding \"same\" takes any length"});
}

void expect_padding(const Component& layer, const std::string& padding, bool causal) {
  if (padding == "valid" || padding == "same" || (causal && padding == "causal")) return;
  throw Error(
      ErrorKind::value, titled(layer) + ": no such padding",
      {.got = "\"" + padding + "\"", .want = causal ? "valid, same or causal" : "valid or same"});
}

void expect_channels_last(const Component& layer, const std::string& data_format) {
  if (data_format == "channels_last") return;
  if (data_format == "channels_first") {
    throw Error(ErrorKind::unsupported, titled(layer) + ": channels come last here",
                {.got = "data_format \"channels_first\"",
                 .want = "\"channels_last\"",
                 .hint = "Permute({2, 1}) turns (batch, channels, time)"});
  }
  throw Error(ErrorKind::value, titled(layer) + ": no such data_format",
              {.got = "\"" + data_format + "\"", .want = "\"channels_last\""});
}

Shape one_per_axis(const Component& layer, std::string_view what, const Shape& given, int axes) {
  Shape sizes = given;
  while (given.rank() == 1 && sizes.rank() < axes) sizes.push_back(given[0]);
  const bool positive_all = std::all_of(sizes.begin(), sizes.end(), [](Index s) { return s >= 1; });
  if (sizes.rank() == axes && positive_all) return sizes;
  throw Error(ErrorKind::value,
              titled(layer) + ": " + std::string(what) + " does not fit " + std::to_string(axes) +
                  (axes == 1 ? " axis" : " axes"),
              {.got = given.to_string(), .want = "1 or more for each axis"});
}

void expect_rank(const Component& layer, std::span<const Shape> inputs, int rank,
                 std::string_view want) {
  expect_inputs(layer, inputs, 1);
  if (inputs[0].rank() == rank) return;
  throw Error(ErrorKind::shape, titled(layer) + ": the input has the wrong rank",
              {.got = inputs[0].to_string(), .want = std::string(want)});
}

}  // namespace unroll
