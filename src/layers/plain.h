// What the plain layers share.
#pragma once

#include <string>

#include "unroll/error.h"
#include "unroll/layers.h"

namespace unroll {

/// `SimpleRNN "rnn_layer"`, or the class alone while it has no name.
inline std::string titled(const Component& component) {
  std::string text(component.class_name());
  if (!component.name.empty()) text += " \"" + component.name + "\"";
  return text;
}

/// Throws: Error (shape) unless there are `count` inputs.
inline void expect_inputs(const Component& layer, std::span<const Shape> inputs,
                          std::size_t count) {
  if (inputs.size() == count) return;
  throw Error(ErrorKind::shape, titled(layer) + ": another number of inputs",
              {.got = std::to_string(inputs.size()), .want = std::to_string(count)});
}

/// Throws: Error (value) unless `value` is at least 1.
inline Index positive(std::string_view what, Index value) {
  if (value >= 1) return value;
  throw Error(ErrorKind::value, std::string(what) + " is not positive",
              {.got = std::to_string(value), .want = "1 or more"});
}

/// Throws: Error (value) unless `value` is a share.
inline double probability(std::string_view what, double value) {
  if (value >= 0 && value <= 1) return value;
  throw Error(ErrorKind::value, std::string(what) + " is not a probability",
              {.got = std::to_string(value), .want = "0 to 1"});
}

/// The refusal of an id that a table of `rows` rows does not have.
Error outside_table(const Component& layer, Index id, Index rows);

/// A layer whose outputs have the shape of its input, with one input and one output.
class ShapelessImpl : public LayerImpl {
 public:
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_inputs(*this, inputs, 1);
    return {inputs[0]};
  }
  Order order() const override { return Order::any; }
  MaskRule mask_rule() const override { return MaskRule::pass; }
  Streaming streaming(std::span<const Shape>) const override { return Streaming::stepwise; }
};

/// Makes a handle's implementation and names it.
template <class Impl, class... Arguments>
std::shared_ptr<LayerImpl> named(const std::string& name, Arguments&&... arguments) {
  auto impl = std::make_shared<Impl>(std::forward<Arguments>(arguments)...);
  impl->name = name;
  return impl;
}

/// Makers of the files of this room; null for a class that is not theirs. See make_plain_layer.
std::shared_ptr<LayerImpl> make_dense(std::string_view class_name, Describer& options);
std::shared_ptr<LayerImpl> make_embedding(std::string_view class_name, Describer& options);
std::shared_ptr<LayerImpl> make_reversible_embedding(std::string_view class_name,
                                                     Describer& options);
std::shared_ptr<LayerImpl> make_regularizing(std::string_view class_name, Describer& options);
std::shared_ptr<LayerImpl> make_shaping(std::string_view class_name, Describer& options);
std::shared_ptr<LayerImpl> make_merging(std::string_view class_name, Describer& options);
std::shared_ptr<LayerImpl> make_normalization(std::string_view class_name, Describer& options);
std::shared_ptr<LayerImpl> make_row_normalization(std::string_view class_name, Describer& options);
std::shared_ptr<LayerImpl> make_rectifying(std::string_view class_name, Describer& options);
std::shared_ptr<LayerImpl> make_noise(std::string_view class_name, Describer& options);
std::shared_ptr<LayerImpl> make_convolution(std::string_view class_name, Describer& options);
std::shared_ptr<LayerImpl> make_transposed_convolution(std::string_view class_name,
                                                       Describer& options);
std::shared_ptr<LayerImpl> make_pooling(std::string_view class_name, Describer& options);
std::shared_ptr<LayerImpl> make_resizing(std::string_view class_name, Describer& options);
std::shared_ptr<LayerImpl> make_attention(std::string_view class_name, Describer& options);
std::shared_ptr<LayerImpl> make_multi_head_attention(std::string_view class_name,
                                                     Describer& options);
std::shared_ptr<LayerImpl> make_wrapper(std::string_view class_name, Describer& options);

/// An implementation with its options described; used by the makers.
template <class Impl>
std::shared_ptr<LayerImpl> described(Describer& options) {
  auto impl = std::make_shared<Impl>();
  impl->describe(options);
  return impl;
}

}  // namespace unroll
