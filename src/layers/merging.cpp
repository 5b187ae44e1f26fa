// Layers that join inputs: Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot.
#include <algorithm>
#include <cstring>

#include "src/autograd/dispatch.h"
#include "src/kernels/vector.h"
#include "src/layers/plain.h"
#include "src/layers/streamed.h"

namespace unroll {

namespace {

enum class Merge { add, subtract, multiply, average, maximum, minimum };

constexpr std::pair<std::string_view, Merge> merges[] = {
    {"Add", Merge::add},         {"Subtract", Merge::subtract}, {"Multiply", Merge::multiply},
    {"Average", Merge::average}, {"Maximum", Merge::maximum},   {"Minimum", Merge::minimum},
};

/// 1 where a is picked: the larger, or the smaller.
Var picks_first(const Var& a, const Var& b, bool larger) {
  const Shape shape = broadcast(a.shape(), b.shape());
  Var chosen = a.tape().result(shape, DType::uint8, false);
  const Var difference = a - b;
  with_float(a.dtype(), [&]<class T>() {
    const T* d = difference.data<T>();
    for (Index i = 0; i < chosen.elements(); ++i) {
      chosen.data<std::uint8_t>()[i] = (larger ? d[i] >= 0 : d[i] <= 0) ? 1 : 0;
    }
  });
  return chosen;
}

/// The sizes of the steps of all inputs, or none where one is no vector.
std::vector<Index> vector_sizes(const StreamRequest& request) {
  std::vector<Index> sizes;
  for (const Shape& step : request.inputs) {
    if (step.rank() != 1 || !step.known()) return {};
    sizes.push_back(step[0]);
  }
  return sizes;
}

/// The masks of the inputs, step by step: kept where any input keeps it.
Mask any_of_masks(Call& call, std::size_t inputs, bool missing_counts_as_kept) {
  Mask found;
  for (std::size_t i = 0; i < inputs; ++i) {
    const Mask mask = call.mask(i);
    if (!mask && !missing_counts_as_kept) return {};
    if (mask) found = mask;
  }
  if (!found) return {};
  auto* data = call.tape().arena().take<std::uint8_t>(found.time * found.rows);
  std::fill_n(data, found.time * found.rows, std::uint8_t{0});
  for (std::size_t i = 0; i < inputs; ++i) {
    const Mask mask = call.mask(i);
    for (Index j = 0; j < found.time * found.rows; ++j) {
      data[j] = data[j] != 0 || !mask || mask.data[j] != 0 ? 1 : 0;
    }
  }
  return {data, found.time, found.rows};
}

/// y = y merged with x, both of n numbers.
void merge_step(Merge merge, Index n, const float* x, float* y) {
  switch (merge) {
    case Merge::subtract:
      return kernels::subtract(n, y, x, y);
    case Merge::multiply:
      return kernels::multiply(n, y, x, y);
    case Merge::maximum:
      for (Index i = 0; i < n; ++i) y[i] = y[i] >= x[i] ? y[i] : x[i];
      return;
    case Merge::minimum:
      for (Index i = 0; i < n; ++i) y[i] = y[i] <= x[i] ? y[i] : x[i];
      return;
    default:
      return kernels::add(n, y, x, y);
  }
}

class MergeImpl : public LayerImpl {
 public:
  explicit MergeImpl(Merge merge) : merge_(merge) {}
  std::string_view class_name() const override {
    return std::find_if(std::begin(merges), std::end(merges),
                        [this](const auto& entry) { return entry.second == merge_; })
        ->first;
  }
  Order order() const override { return Order::any; }
  MaskRule mask_rule() const override { return MaskRule::own; }
  Streaming streaming(std::span<const Shape>) const override { return Streaming::stepwise; }
  std::shared_ptr<const StreamedLayer> streamed(const StreamRequest& request) const override {
    const std::vector<Index> sizes = vector_sizes(request);
    const bool equal = !sizes.empty() && std::ranges::count(sizes, sizes[0]) == std::ssize(sizes);
    if (!equal) return nullptr;
    return step_function([merge = merge_, n = sizes[0], count = sizes.size()](const StepRun& s) {
      float* y = s.outputs[0];
      std::copy_n(s.inputs[0], n, y);
      for (std::size_t i = 1; i < count; ++i) merge_step(merge, n, s.inputs[i], y);
      const float share = 1 / static_cast<float>(count);
      if (merge == Merge::average) kernels::scale_shift(n, share, 0.0f, y, y);
      return s.any_kept;
    });
  }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    const bool two = merge_ == Merge::subtract;
    if (inputs.size() < 2 || (two && inputs.size() != 2)) {
      throw Error(ErrorKind::shape, titled(*this) + ": another number of inputs",
                  {.got = std::to_string(inputs.size()), .want = two ? "2" : "2 or more"});
    }
    Shape shape = inputs[0];
    for (const Shape& other : inputs.subspan(1)) shape = joined(shape, other);
    return {shape};
  }

  Vars call(Call& call, const Vars& inputs) override {
    Var total = inputs[0];
    for (std::size_t i = 1; i < inputs.size(); ++i) total = merged(total, inputs[i]);
    if (merge_ == Merge::average) total = total * (1.0 / static_cast<double>(inputs.size()));
    call.set_mask(any_of_masks(call, inputs.size(), false));
    return {total};
  }

 private:
  /// Broadcasting where sizes may be unknown, and a shorter shape gets axes after the batch.
  static Shape joined(const Shape& a, const Shape& b) {
    if (a.rank() < b.rank()) return joined(b, a);
    Shape wide = b;
    while (wide.rank() < a.rank()) wide = wide.with(1, 1);
    Shape result = a;
    for (int axis = 0; axis < a.rank(); ++axis) {
      const Index x = a[axis], y = wide[axis];
      if (x != y && x != 1 && y != 1 && x != unknown && y != unknown) {
        throw Error(ErrorKind::shape, "a merge of shapes that do not fit",
                    {.got = a.to_string() + " and " + b.to_string()});
      }
      result.set(axis, x == 1 ? y : (x == unknown && y != 1 ? y : x));
    }
    return result;
  }

  static Var widened(const Var& x, const Var& other) {
    if (x.rank() >= other.rank() || other.time_first()) return x;
    Shape shape = x.shape();
    while (shape.rank() < other.rank()) shape = shape.with(1, 1);
    return reshape(x, shape);
  }

  Var merged(const Var& first, const Var& second) const {
    const Var a = widened(first, second), b = widened(second, first);
    switch (merge_) {
      case Merge::subtract:
        return a - b;
      case Merge::multiply:
        return a * b;
      case Merge::maximum:
      case Merge::minimum:
        return where(picks_first(a, b, merge_ == Merge::maximum), a, b);
      default:
        return a + b;
    }
  }

  Merge merge_;
};

class ConcatenateImpl : public LayerImpl {
 public:
  ConcatenateImpl() = default;
  explicit ConcatenateImpl(Index axis) : axis_(axis) {}
  std::string_view class_name() const override { return "Concatenate"; }
  void describe(Describer& d) override { d.field("axis", axis_); }
  Order order() const override { return Order::any; }
  MaskRule mask_rule() const override { return MaskRule::own; }
  Streaming streaming(std::span<const Shape> inputs) const override {
    return positive_axis(inputs[0].rank()) == 1 ? Streaming::never : Streaming::stepwise;
  }
  std::shared_ptr<const StreamedLayer> streamed(const StreamRequest& request) const override {
    const std::vector<Index> sizes = vector_sizes(request);
    if (sizes.empty()) return nullptr;
    return step_function([sizes](const StepRun& s) {
      float* y = s.outputs[0];
      for (std::size_t i = 0; i < sizes.size(); ++i) y = std::copy_n(s.inputs[i], sizes[i], y);
      return s.any_kept;
    });
  }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    if (inputs.size() < 2) {
      throw Error(ErrorKind::shape, titled(*this) + ": another number of inputs",
                  {.got = std::to_string(inputs.size()), .want = "2 or more"});
    }
    const int axis = positive_axis(inputs[0].rank());
    Shape shape = inputs[0];
    Index total = 0;
    for (const Shape& other : inputs) {
      bool fits = other.rank() == shape.rank();
      for (int i = 0; fits && i < shape.rank(); ++i) {
        fits = i == axis || shape[i] == other[i] || shape[i] == unknown || other[i] == unknown;
      }
      if (!fits) {
        throw Error(ErrorKind::shape, titled(*this) + ": shapes differ beside the joined axis",
                    {.got = shape.to_string() + " and " + other.to_string()});
      }
      total = total == unknown || other[axis] == unknown ? unknown : total + other[axis];
    }
    shape.set(axis, total);
    return {shape};
  }

  Vars call(Call& call, const Vars& inputs) override {
    int axis = positive_axis(inputs[0].rank());
    if (axis == 1 && inputs[0].rank() > 2) {
      join_masks(call, inputs);
    } else {
      call.set_mask(any_of_masks(call, inputs.size(), true));
    }
    if (inputs[0].time_first() && axis == 1) axis = 0;
    return {concat(std::span<const Var>(inputs), axis)};
  }

 private:
  int positive_axis(int rank) const {
    const int axis = static_cast<int>(axis_ < 0 ? axis_ + rank : axis_);
    if (axis < 1 || axis >= rank) {
      throw Error(ErrorKind::shape, titled(*this) + ": no such axis beside the batch",
                  {.got = std::to_string(axis_) + " of rank " + std::to_string(rank)});
    }
    return axis;
  }

  /// Along time the masks follow one another.
  static void join_masks(Call& call, const Vars& inputs) {
    Index time = 0;
    bool any = false;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      time += inputs[i].shape()[inputs[i].time_first() ? 0 : 1];
      any = any || call.mask(i);
    }
    if (!any) return;
    auto* data = call.tape().arena().take<std::uint8_t>(time * call.rows());
    Index at = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Index count = inputs[i].shape()[inputs[i].time_first() ? 0 : 1] * call.rows();
      const Mask mask = call.mask(i);
      if (mask) {
        std::memcpy(data + at, mask.data, static_cast<std::size_t>(count));
      } else {
        std::memset(data + at, 1, static_cast<std::size_t>(count));
      }
      at += count;
    }
    call.set_mask({data, time, call.rows()});
  }

  Index axis_ = -1;
};

class DotImpl : public LayerImpl {
 public:
  DotImpl() = default;
  explicit DotImpl(const DotOptions& options) : options_(options) {}
  std::string_view class_name() const override { return "Dot"; }
  void describe(Describer& d) override {
    d.field("axes", options_.axes);
    d.field("normalize", options_.normalize);
  }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_inputs(*this, inputs, 2);
    const bool flat = inputs[0].rank() == 2 && inputs[1].rank() == 2;
    if (!flat || inputs[0][1] != inputs[1][1] || (options_.axes != 1 && options_.axes != -1)) {
      throw Error(ErrorKind::shape, titled(*this) + ": the inputs do not fit",
                  {.got = inputs[0].to_string() + " and " + inputs[1].to_string(),
                   .want = "two (batch, features), axes 1"});
    }
    return {Shape{inputs[0][0], 1}};
  }
  Vars call(Call&, const Vars& inputs) override {
    Var a = inputs[0], b = inputs[1];
    if (options_.normalize) {
      a = a / sqrt(sum(a * a, -1, true) + 1e-12);
      b = b / sqrt(sum(b * b, -1, true) + 1e-12);
    }
    return {sum(a * b, -1, true)};
  }

 private:
  DotOptions options_;
};

}  // namespace

Add::Add(const NameOption& options) : Layer(named<MergeImpl>(options.name, Merge::add)) {}
Subtract::Subtract(const NameOption& options)
    : Layer(named<MergeImpl>(options.name, Merge::subtract)) {}
Multiply::Multiply(const NameOption& options)
    : Layer(named<MergeImpl>(options.name, Merge::multiply)) {}
Average::Average(const NameOption& options)
    : Layer(named<MergeImpl>(options.name, Merge::average)) {}
Maximum::Maximum(const NameOption& options)
    : Layer(named<MergeImpl>(options.name, Merge::maximum)) {}
Minimum::Minimum(const NameOption& options)
    : Layer(named<MergeImpl>(options.name, Merge::minimum)) {}
Concatenate::Concatenate(const ConcatenateOptions& options)
    : Layer(named<ConcatenateImpl>(options.name, options.axis)) {}
Dot::Dot(const DotOptions& options) : Layer(named<DotImpl>(options.name, options)) {}

std::shared_ptr<LayerImpl> make_merging(std::string_view class_name, Describer& options) {
  for (const auto& [name, merge] : merges) {
    if (name == class_name) return std::make_shared<MergeImpl>(merge);
  }
  if (class_name == "Concatenate") return described<ConcatenateImpl>(options);
  if (class_name == "Dot") return described<DotImpl>(options);
  return nullptr;
}

}  // namespace unroll
