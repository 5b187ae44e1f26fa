// Layers that only move numbers: Flatten, Reshape, RepeatVector, Permute, GetItem.
#include <algorithm>
#include <utility>

#include "src/layers/plain.h"
#include "src/layers/streamed.h"

namespace unroll {

namespace {

class FlattenImpl : public LayerImpl {
 public:
  std::string_view class_name() const override { return "Flatten"; }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_inputs(*this, inputs, 1);
    const Shape row = inputs[0].slice(1, inputs[0].rank());
    return {Shape{inputs[0][0], row.known() ? row.elements() : unknown}};
  }
  Vars call(Call&, const Vars& inputs) override {
    return {reshape(inputs[0], {inputs[0].shape()[0], unknown})};
  }
};

class ReshapeImpl : public LayerImpl {
 public:
  ReshapeImpl() = default;
  explicit ReshapeImpl(const Shape& target) : target_(target) {}
  std::string_view class_name() const override { return "Reshape"; }
  void describe(Describer& d) override { d.field("target_shape", target_); }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_inputs(*this, inputs, 1);
    const Shape row = inputs[0].slice(1, inputs[0].rank());
    Shape full = target_;
    for (int axis = 0; row.known() && axis < target_.rank(); ++axis) {
      if (target_[axis] != unknown) continue;
      const Index rest = target_.without(axis).elements();
      full.set(axis, rest == 0 ? 0 : row.elements() / rest);
    }
    if (row.known() && full.elements() != row.elements()) {
      throw Error(ErrorKind::shape, titled(*this) + ": the target does not fit the input",
                  {.got = inputs[0].to_string() + " to " + target_.to_string()});
    }
    return {full.with(0, inputs[0][0])};
  }
  Vars call(Call&, const Vars& inputs) override {
    return {reshape(inputs[0], target_.with(0, inputs[0].shape()[0]))};
  }

 private:
  Shape target_;
};

class RepeatVectorImpl : public LayerImpl {
 public:
  RepeatVectorImpl() = default;
  explicit RepeatVectorImpl(Index n) : n_(positive("RepeatVector: n", n)) {}
  std::string_view class_name() const override { return "RepeatVector"; }
  void describe(Describer& d) override { d.field("n", n_); }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_inputs(*this, inputs, 1);
    if (inputs[0].rank() != 2) {
      throw Error(ErrorKind::shape, titled(*this) + ": the input has the wrong rank",
                  {.got = inputs[0].to_string(), .want = "(batch, features)"});
    }
    return {inputs[0].with(1, n_)};
  }
  Vars call(Call& call, const Vars& inputs) override {
    // The copies lie time first: whoever repeats a vector is about to walk through time.
    Var ones = call.tape().result(Shape{n_, 1, 1}, inputs[0].dtype(), false);
    if (ones.dtype() == DType::float64) {
      std::fill_n(ones.data<double>(), n_, 1.0);
    } else {
      std::fill_n(ones.data<float>(), n_, 1.0f);
    }
    return {(ones * inputs[0]).set_time_first(true)};
  }

 private:
  Index n_ = 1;
};

class PermuteImpl : public LayerImpl {
 public:
  PermuteImpl() = default;
  explicit PermuteImpl(const Shape& dims) : dims_(dims) {}
  std::string_view class_name() const override { return "Permute"; }
  void describe(Describer& d) override { d.field("dims", dims_); }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_inputs(*this, inputs, 1);
    if (dims_.rank() != inputs[0].rank() - 1) {
      throw Error(ErrorKind::shape, titled(*this) + ": dims must name every axis but the batch",
                  {.got = dims_.to_string() + " for " + inputs[0].to_string()});
    }
    Shape shape{inputs[0][0]};
    for (Index axis : dims_) shape.push_back(inputs[0][static_cast<int>(axis)]);
    return {shape};
  }
  Vars call(Call&, const Vars& inputs) override {
    switch (dims_.rank()) {
      case 1:
        return inputs;
      case 2:
        return {transpose(inputs[0], {0, axis(0), axis(1)})};
      case 3:
        return {transpose(inputs[0], {0, axis(0), axis(1), axis(2)})};
      default:
        throw Error(ErrorKind::unsupported, titled(*this) + ": at most three axes beside the batch",
                    {.got = dims_.to_string()});
    }
  }

 private:
  int axis(int i) const { return static_cast<int>(dims_[i]); }

  Shape dims_;
};

class GetItemImpl : public LayerImpl {
 public:
  GetItemImpl() = default;
  explicit GetItemImpl(Picks picks) : picks_(std::move(picks)) {}
  std::string_view class_name() const override { return "GetItem"; }
  void describe(Describer& d) override { d.field("key", picks_); }
  Order order() const override { return Order::any; }
  Streaming streaming(std::span<const Shape>) const override {
    if (picks_.size() < 2 || picks_[1].whole()) return Streaming::stepwise;
    return takes_last() ? Streaming::last : Streaming::never;
  }
  std::shared_ptr<const StreamedLayer> streamed(const StreamRequest& request) const override {
    const auto whole = [](const Pick& pick) { return pick.whole(); };
    const bool all_of_step =
        picks_.size() < 3 || std::all_of(picks_.begin() + 2, picks_.end(), whole);
    return takes_last() && all_of_step ? last_step(request) : nullptr;
  }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_inputs(*this, inputs, 1);
    if (!picks_.empty() && !picks_[0].whole()) {
      throw Error(ErrorKind::unsupported, titled(*this) + ": a part of the batch",
                  {.want = "all for axis 0", .hint = "h[{all, -1, all}] takes the last step"});
    }
    return {picked_shape(inputs[0], picks_)};
  }

  Vars call(Call&, const Vars& inputs) override {
    const Var& x = inputs[0];
    if (!x.time_first() || picks_.size() < 2)
      return {slice(x, picks_).set_time_first(x.time_first())};
    Pick turned[Shape::max_rank]{all, all, all, all, all, all, all, all};
    std::copy(picks_.begin(), picks_.end(), turned);
    std::swap(turned[0], turned[1]);
    // Without its time axis the result has the batch first again.
    return {slice(x, std::span<const Pick>(turned, static_cast<std::size_t>(x.rank())))
                .set_time_first(!picks_[1].one())};
  }

 private:
  bool takes_last() const {
    return picks_.size() > 1 && picks_[1].one() && picks_[1].first() == -1;
  }
  /// Nothing is left of the mask where there is no time.
  static std::shared_ptr<const StreamedLayer> last_step(const StreamRequest& request) {
    if (!request.inputs[0].known()) return nullptr;
    return step_function([n = request.inputs[0].elements()](const StepRun& s) {
      std::copy_n(s.inputs[0], n, s.outputs[0]);
      return true;
    });
  }

  Picks picks_;
};

}  // namespace

Flatten::Flatten(const NameOption& options) : Layer(named<FlattenImpl>(options.name)) {}
Reshape::Reshape(const Shape& target_shape, const NameOption& options)
    : Layer(named<ReshapeImpl>(options.name, target_shape)) {}
RepeatVector::RepeatVector(Index n, const NameOption& options)
    : Layer(named<RepeatVectorImpl>(options.name, n)) {}
Permute::Permute(const Shape& dims, const NameOption& options)
    : Layer(named<PermuteImpl>(options.name, dims)) {}
GetItem::GetItem(const Picks& picks, const NameOption& options)
    : Layer(named<GetItemImpl>(options.name, picks)) {}

std::shared_ptr<LayerImpl> make_shaping(std::string_view class_name, Describer& options) {
  if (class_name == "Flatten") return described<FlattenImpl>(options);
  if (class_name == "Reshape") return described<ReshapeImpl>(options);
  if (class_name == "RepeatVector") return described<RepeatVectorImpl>(options);
  if (class_name == "Permute") return described<PermuteImpl>(options);
  if (class_name == "GetItem") return described<GetItemImpl>(options);
  return nullptr;
}

}  // namespace unroll
