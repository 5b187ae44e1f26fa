#include "unroll/slice.h"

#include <string>

#include "unroll/error.h"

namespace unroll {

PickedAxis resolve(const Pick& pick, Index size) {
  if (pick.whole()) return {0, size};
  const auto from_end = [size](Index position) {
    return position < 0 ? position + size : position;
  };
  const Index first = from_end(pick.first());
  if (pick.one()) {
    if (first < 0 || first >= size) {
      throw Error(ErrorKind::shape, "a position lies outside its axis",
                  {.got = std::to_string(pick.first()),
                   .want = "a position of an axis of " + std::to_string(size)});
    }
    return {first, 1};
  }
  const Index last = from_end(pick.last());
  if (first < 0 || last < first || last > size) {
    throw Error(
        ErrorKind::shape, "a range lies outside its axis",
        {.got = "range(" + std::to_string(pick.first()) + ", " + std::to_string(pick.last()) + ")",
         .want = "a range of an axis of " + std::to_string(size)});
  }
  return {first, last - first};
}

Shape picked_shape(const Shape& shape, std::span<const Pick> picks) {
  if (static_cast<int>(picks.size()) > shape.rank()) {
    throw Error(ErrorKind::shape, "more picks than axes",
                {.got = std::to_string(picks.size()) + " picks of " + shape.to_string()});
  }
  Shape result;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const auto i = static_cast<std::size_t>(axis);
    const Pick pick = i < picks.size() ? picks[i] : Pick(all);
    if (shape[axis] == unknown) {
      if (pick.one()) continue;
      if (!pick.whole()) {
        throw Error(ErrorKind::shape, "a range of an axis of unknown size",
                    {.got = shape.to_string(), .hint = "give Input the size of this axis"});
      }
      result.push_back(unknown);
      continue;
    }
    const PickedAxis part = resolve(pick, shape[axis]);
    if (!pick.one()) result.push_back(part.count);
  }
  return result;
}

}  // namespace unroll
