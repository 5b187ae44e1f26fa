#include <algorithm>
#include <cstring>

#include "src/autograd/dispatch.h"
#include "unroll/autograd.h"

namespace unroll {

Tensor Var::tensor() const {
  Tensor result(shape(), dtype());
  if (elements() > 0) {
    std::memcpy(result.raw(), node_->value, static_cast<std::size_t>(result.bytes()));
  }
  return result;
}

void Var::take_gradient() const {
  const Index bytes = node_->elements * size_of(node_->dtype);
  node_->gradient = tape_->arena().take<std::byte>(bytes);
  std::memset(node_->gradient, 0, static_cast<std::size_t>(bytes));
}

Var Tape::leaf(const Shape& shape, DType dtype, void* value, void* gradient) {
  auto* node = new (arena_.take_small<Var::Node>()) Var::Node;
  node->value = value;
  node->gradient = gradient;
  node->shape = shape;
  node->elements = shape.elements();
  node->dtype = dtype;
  node->needs_gradient = recording_ && gradient != nullptr;
  return {this, node};
}

Var Tape::constant(const Tensor& tensor) {
  const bool real = tensor.dtype() == DType::float32 || tensor.dtype() == DType::float64;
  if (!real || tensor.dtype() == dtype_) {
    kept_.push_back(tensor);
    return leaf(tensor.shape(), tensor.dtype(), const_cast<void*>(tensor.raw()), nullptr);
  }
  const Tensor converted = tensor.to(dtype_);
  Var copy = result(tensor.shape(), dtype_, false);
  std::memcpy(copy.node_->value, converted.raw(), static_cast<std::size_t>(converted.bytes()));
  return copy;
}

Var Tape::variable(const Tensor& tensor) {
  Var value = constant(tensor);
  value.node_->needs_gradient = recording_;
  return value;
}

Var Tape::result(const Shape& shape, std::initializer_list<Var> inputs) {
  return result(shape, std::span<const Var>(inputs.begin(), inputs.size()));
}

Var Tape::result(const Shape& shape, std::span<const Var> inputs) {
  const bool needs = recording_ && std::ranges::any_of(inputs, &Var::needs_gradient);
  return result(shape, dtype_, needs);
}

Var Tape::result(const Shape& shape, DType dtype, bool needs_gradient) {
  Var value = leaf(shape, dtype, nullptr, nullptr);
  value.node_->value = arena_.take<std::byte>(value.elements() * size_of(dtype));
  value.node_->needs_gradient = recording_ && needs_gradient;
  return value;
}

Var Tape::alias(const Var& x, const Shape& shape) {
  Var value = leaf(shape, x.dtype(), x.node_->value, nullptr);
  value.node_->needs_gradient = x.needs_gradient();
  // Taken now: both handles must add to the same numbers.
  if (x.needs_gradient()) value.node_->gradient = x.gradient<void>();
  return value;
}

Var Tape::view(const Var& part, const Var& x) {
  Var value = leaf(part.shape(), x.dtype(), part.node_->value, nullptr);
  value.node_->needs_gradient = x.needs_gradient();
  return value;
}

void Tape::backward(const Var& loss) {
  if (loss.elements() != 1) {
    throw Error(ErrorKind::shape, "backward starts from one number",
                {.got = loss.shape().to_string(),
                 .want = "a loss of one element",
                 .hint = "sum(loss) or mean(loss)"});
  }
  if (!loss.needs_gradient()) {
    throw Error(ErrorKind::value, "backward from a value that has no gradient",
                {.got = "a value made from constants only, or on a tape that does not record",
                 .want = "a value made from a variable or a parameter"});
  }
  with_float(loss.dtype(), [&]<class T>() { loss.gradient<T>()[0] += T{1}; });
  backward();
}

void Tape::backward() {
  for (Entry* entry = last_; entry != nullptr; entry = entry->before) {
    if (!entry->output || entry->output.has_gradient()) entry->run(entry->what);
  }
}

Tensor Tape::gradient(const Var& x) const {
  Tensor result(x.shape(), x.dtype());
  if (x.has_gradient()) {
    std::memcpy(result.raw(), x.node_->gradient, static_cast<std::size_t>(result.bytes()));
  }
  return result;
}

void Tape::clear() {
  arena_.reset();
  kept_.clear();
  last_ = nullptr;
  entries_ = 0;
}

}  // namespace unroll
