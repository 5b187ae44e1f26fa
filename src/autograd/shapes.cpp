// Operations that move numbers: reshape, transpose, concat, stack, slice, gather.
#include <algorithm>
#include <cstring>

#include "src/autograd/axis.h"
#include "src/autograd/dispatch.h"
#include "src/kernels/rows.h"
#include "src/kernels/vector.h"
#include "unroll/autograd.h"

namespace unroll {

namespace {

/// Walks all elements of `shape`, whose strides in the source are given: f(position, offset).
template <class F>
void walk(const Shape& shape, const std::array<Index, Shape::max_rank>& strides, Index start, F f) {
  std::array<Index, Shape::max_rank> at{};
  Index offset = start;
  const Index total = shape.elements();
  for (Index i = 0; i < total; ++i) {
    f(i, offset);
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const auto a = static_cast<std::size_t>(axis);
      offset += strides[a];
      if (++at[a] < shape[axis]) break;
      offset -= strides[a] * at[a];
      at[a] = 0;
    }
  }
}

/// out[i] = x[offset of i]; its gradient goes the same way back.
Var moved(const Var& x, const Shape& shape, const std::array<Index, Shape::max_rank>& strides,
          Index start) {
  Var out = x.tape().result(shape, x.dtype(), x.needs_gradient());
  const auto copy = [&](auto* to, const auto* from) {
    walk(shape, strides, start, [&](Index i, Index offset) { to[i] = from[offset]; });
  };
  switch (x.dtype()) {
    case DType::float32:
      copy(out.data<float>(), x.data<float>());
      break;
    case DType::float64:
      copy(out.data<double>(), x.data<double>());
      break;
    case DType::int32:
      copy(out.data<std::int32_t>(), x.data<std::int32_t>());
      break;
    case DType::uint8:
      copy(out.data<std::uint8_t>(), x.data<std::uint8_t>());
      break;
  }
  x.tape().record(out, [x, out, strides, start] {
    with_float(out.dtype(), [&]<class T>() {
      T* dx = x.gradient<T>();
      const T* dy = out.gradient<T>();
      walk(out.shape(), strides, start, [&](Index i, Index offset) { dx[offset] += dy[i]; });
    });
  });
  return out;
}

std::array<Index, Shape::max_rank> strides_of(const Shape& shape) {
  std::array<Index, Shape::max_rank> strides{};
  Index size = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[static_cast<std::size_t>(axis)] = size;
    size *= shape[axis];
  }
  return strides;
}

/// A contiguous part of x, from element `start` on: a view in value, an addition in gradient.
Var contiguous_part(const Var& x, const Shape& shape, Index start) {
  auto* value = x.data<std::byte>() + start * size_of(x.dtype());
  Var out = x.tape().leaf(shape, x.dtype(), value, nullptr);
  if (!x.needs_gradient()) return out;
  // A result of its own gradient, so that uses of the part add up before they reach x.
  Var part = x.tape().view(out, x);
  x.tape().record(part, [x, part, start] {
    with_float(x.dtype(), [&]<class T>() {
      T* dx = x.gradient<T>() + start;
      kernels::add(part.elements(), dx, part.gradient<T>(), dx);
    });
  });
  return part;
}

void copy_block(const Var& from, Index from_start, const Var& to, Index to_start, Index count) {
  const Index size = size_of(from.dtype());
  std::memcpy(to.data<std::byte>() + to_start * size, from.data<std::byte>() + from_start * size,
              static_cast<std::size_t>(count * size));
}

}  // namespace

Var reshape(const Var& x, const Shape& shape) {
  Shape full = shape;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] != unknown) continue;
    const Index rest = shape.without(axis).elements();
    full.set(axis, rest == 0 ? 0 : x.elements() / rest);
  }
  if (full.elements() != x.elements()) {
    throw Error(ErrorKind::shape, "a reshape must keep the number of elements",
                {.got = x.shape().to_string() + " to " + shape.to_string()});
  }
  return x.tape().alias(x, full);
}

Var transpose(const Var& x, std::initializer_list<int> order) {
  std::array<bool, Shape::max_rank> seen{};
  Shape shape;
  std::array<Index, Shape::max_rank> strides{};
  const auto source = strides_of(x.shape());
  std::size_t i = 0;
  for (int given : order) {
    const auto axis = static_cast<std::size_t>(positive_axis(given, x.rank()));
    if (seen[axis]) throw Error(ErrorKind::shape, "transpose names an axis twice");
    seen[axis] = true;
    shape.push_back(x.shape()[static_cast<int>(axis)]);
    strides[i++] = source[axis];
  }
  if (shape.rank() != x.rank()) {
    throw Error(ErrorKind::shape, "transpose must name every axis",
                {.got = std::to_string(shape.rank()) + " of " + std::to_string(x.rank())});
  }
  return moved(x, shape, strides, 0);
}

Var swap_first_axes(const Var& x) {
  Shape shape = x.shape();
  auto strides = strides_of(x.shape());
  shape.set(0, x.shape()[1]);
  shape.set(1, x.shape()[0]);
  std::swap(strides[0], strides[1]);
  return moved(x, shape, strides, 0).set_time_first(!x.time_first());
}

Var reverse(const Var& x, int axis) {
  const int at = positive_axis(axis, x.rank());
  auto strides = strides_of(x.shape());
  Index& stride = strides[static_cast<std::size_t>(at)];
  const Index last = stride * (x.shape()[at] - 1);
  stride = -stride;
  return moved(x, x.shape(), strides, last).set_time_first(x.time_first());
}

Var concat(std::span<const Var> parts, int axis) {
  if (parts.empty()) throw Error(ErrorKind::value, "concat of nothing");
  const Var& first = parts[0];
  const int at = positive_axis(axis, first.rank());
  Shape shape = first.shape();
  Index total = 0;
  for (const Var& part : parts) {
    if (part.rank() != first.rank() || part.shape().without(at) != first.shape().without(at)) {
      throw Error(ErrorKind::shape, "concat: shapes differ beside the joined axis",
                  {.got = first.shape().to_string() + " and " + part.shape().to_string()});
    }
    total += part.shape()[at];
  }
  shape.set(at, total);
  Tape& tape = first.tape();
  bool needs = false;
  for (const Var& part : parts) needs = needs || part.needs_gradient();
  Var out = tape.result(shape, first.dtype(), needs);
  out.set_time_first(first.time_first());
  const Index outer = shape.product(0, at), inner = shape.product(at + 1, shape.rank());
  Index start = 0;
  for (const Var& part : parts) {
    const Index block = part.shape()[at] * inner;
    for (Index o = 0; o < outer; ++o) {
      copy_block(part, o * block, out, o * total * inner + start, block);
    }
    if (part.needs_gradient()) {
      tape.record(out, [=] {
        with_float(out.dtype(), [&]<class T>() {
          T* dx = part.gradient<T>();
          for (Index o = 0; o < outer; ++o) {
            T* to = dx + o * block;
            kernels::add(block, to, out.gradient<T>() + o * total * inner + start, to);
          }
        });
      });
    }
    start += block;
  }
  return out;
}

Var stack(std::span<const Var> parts, int axis) {
  if (parts.empty()) throw Error(ErrorKind::value, "stack of nothing");
  const int at = positive_axis(axis, parts[0].rank() + 1);
  const Shape wide = parts[0].shape().with(at, 1);
  base::Arena& arena = parts[0].tape().arena();
  Var* raised = arena.take_small<Var>(static_cast<Index>(parts.size()));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    new (raised + i) Var(reshape(parts[i], wide));
  }
  return concat(std::span<const Var>(raised, parts.size()), at);
}

Var concat(std::initializer_list<Var> parts, int axis) {
  return concat(std::span<const Var>(parts.begin(), parts.size()), axis);
}
Var stack(std::initializer_list<Var> parts, int axis) {
  return stack(std::span<const Var>(parts.begin(), parts.size()), axis);
}

Var slice(const Var& x, std::span<const Pick> picks) {
  const Shape shape = picked_shape(x.shape(), picks);
  const auto source = strides_of(x.shape());
  std::array<Index, Shape::max_rank> strides{};
  Index start = 0;
  std::size_t kept = 0;
  // Contiguous: once an axis is taken in part, every later axis must be whole.
  bool contiguous = true, inside = false;
  for (int axis = x.rank() - 1; axis >= 0; --axis) {
    const auto i = static_cast<std::size_t>(axis);
    const Pick pick = i < picks.size() ? picks[i] : Pick(all);
    const PickedAxis part = resolve(pick, x.shape()[axis]);
    start += part.first * source[i];
    if (inside && part.count != 1) contiguous = false;
    if (part.count != x.shape()[axis]) inside = true;
  }
  for (int axis = 0; axis < x.rank(); ++axis) {
    const auto i = static_cast<std::size_t>(axis);
    const Pick pick = i < picks.size() ? picks[i] : Pick(all);
    if (!pick.one()) strides[kept++] = source[i];
  }
  return contiguous ? contiguous_part(x, shape, start) : moved(x, shape, strides, start);
}

Var Var::operator[](std::initializer_list<Pick> picks) const {
  return slice(*this, std::span<const Pick>(picks.begin(), picks.size()));
}

Var gather(const Var& table, const Var& ids) {
  if (ids.dtype() != DType::int32) {
    throw Error(ErrorKind::value, "gather wants ids of int32",
                {.got = std::string(to_string(ids.dtype()))});
  }
  const Index size = table.shape()[0], width = table.shape().product(1, table.rank());
  Shape shape = ids.shape();
  for (int axis = 1; axis < table.rank(); ++axis) shape.push_back(table.shape()[axis]);
  Var out = table.tape().result(shape, {table});
  out.set_time_first(ids.time_first());
  const std::int32_t* id = ids.data<std::int32_t>();
  for (Index i = 0; i < ids.elements(); ++i) {
    if (id[i] < 0 || id[i] >= size) {
      throw Error(ErrorKind::value, "an id lies outside its table",
                  {.got = std::to_string(id[i]), .want = "0 to " + std::to_string(size - 1)});
    }
    copy_block(table, id[i] * width, out, i * width, width);
  }
  table.tape().record(out, [table, ids, out, width] {
    with_float(out.dtype(), [&]<class T>() {
      kernels::scatter_add_rows(width, out.gradient<T>(), ids.data<std::int32_t>(), ids.elements(),
                                table.gradient<T>());
    });
  });
  return out;
}

}  // namespace unroll
