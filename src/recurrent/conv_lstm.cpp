// ConvLSTM1D and ConvLSTM2D.
#include "unroll/conv_lstm.h"

#include <algorithm>
#include <cstring>

#include "src/autograd/dispatch.h"
#include "src/layers/convolve.h"
#include "src/layers/noise.h"
#include "src/layers/plain.h"
#include "src/layers/window.h"
#include "src/recurrent/gates.h"
#include "src/recurrent/walker.h"

namespace unroll {

namespace {

constexpr std::uint64_t recurrent_stream = std::uint64_t{1} << 63;

class ConvLSTMImpl : public SequenceImpl {
 public:
  explicit ConvLSTMImpl(int axes) : axes_(axes) {}
  ConvLSTMImpl(int axes, Index filters, const Shape& kernel_size, const ConvLSTMOptions& options)
      : axes_(axes), filters_(filters), kernel_size_(kernel_size), options_(options) {
    activity_regularizer = options.activity_regularizer;
    check();
  }

  std::string_view class_name() const override { return axes_ == 1 ? "ConvLSTM1D" : "ConvLSTM2D"; }
  void describe(Describer& d) override;
  void build(std::span<const Shape> inputs) override;
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override;
  std::vector<Shape> state_shapes(Index batch) const override;
  std::vector<Shape> part_shapes(Index batch) const override;
  Streaming streaming(std::span<const Shape> inputs) const override {
    return streaming_of(walk_, inputs.size(), false);
  }
  Order order() const override { return Order::time_first; }
  MaskRule mask_rule() const override { return MaskRule::own; }
  void prepare(DType dtype, bool training) override;
  Vars call(Call& call, const Vars& inputs) override;

  const Walk& walk() const override { return walk_; }
  std::size_t states() const override { return 2; }
  Vars run(Call& call, const Var& x, const Mask& mask, const Vars& initial) override;
  void set_zero_output_for_mask(bool value) override {
    options_.zero_output_for_mask = walk_.zero_output_for_mask = value;
  }
  std::shared_ptr<SequenceImpl> twin_backwards() const override {
    ConvLSTMOptions options = options_;
    options.go_backwards = !options.go_backwards;
    return std::make_shared<ConvLSTMImpl>(axes_, filters_, kernel_size_, options);
  }

 private:
  void check();
  /// The sizes of a state, (batch, places..., filters), for an input's (batch, time, places...).
  Shape state_shape(const Shape& input) const;
  /// The convolution of one step, from places of `from` to those of `to`; both (rows, places...,
  /// channels).
  kernels::ConvolutionShape sizes(const Shape& from, const Shape& to, bool recurrent) const;
  Var scaled(Call& call, const Var& x, double rate, bool recurrent) const;
  Vars steps(Call& call, const Var& x, const Mask& mask, Var h, Var c);

  int axes_;
  Index filters_ = 1;
  Shape kernel_size_ = {1};
  ConvLSTMOptions options_;
  Walk walk_;  // the same as in the options
  Index channels_ = 0;
  Shape built_for_;
  Parameter *kernel_ = nullptr, *recurrent_kernel_ = nullptr, *bias_ = nullptr;
  Convolve input_, recurrent_;
};

void ConvLSTMImpl::describe(Describer& d) {
  ConvLSTMOptions& o = options_;
  d.field("filters", filters_);
  d.field("kernel_size", kernel_size_);
  d.field("strides", o.strides);
  d.field("padding", o.padding);
  d.field("data_format", o.data_format);
  d.field("dilation_rate", o.dilation_rate);
  d.field("activation", o.activation);
  d.field("recurrent_activation", o.recurrent_activation);
  d.field("use_bias", o.use_bias);
  d.field("kernel_initializer", o.kernel_initializer);
  d.field("recurrent_initializer", o.recurrent_initializer);
  d.field("bias_initializer", o.bias_initializer);
  d.field("unit_forget_bias", o.unit_forget_bias);
  d.field("kernel_regularizer", o.kernel_regularizer);
  d.field("recurrent_regularizer", o.recurrent_regularizer);
  d.field("bias_regularizer", o.bias_regularizer);
  d.field("activity_regularizer", activity_regularizer);
  d.field("kernel_constraint", o.kernel_constraint);
  d.field("recurrent_constraint", o.recurrent_constraint);
  d.field("bias_constraint", o.bias_constraint);
  d.field("dropout", o.dropout);
  d.field("recurrent_dropout", o.recurrent_dropout);
  d.field("seed", o.seed);
  d.field("return_sequences", o.return_sequences);
  d.field("return_state", o.return_state);
  d.field("go_backwards", o.go_backwards);
  d.field("stateful", o.stateful);
  d.field("zero_output_for_mask", o.zero_output_for_mask);
  check();
}

void ConvLSTMImpl::check() {
  const std::string layer(class_name());
  positive(layer + ": filters", filters_);
  kernel_size_ = one_per_axis(*this, "kernel_size", kernel_size_, axes_);
  options_.strides = one_per_axis(*this, "strides", options_.strides, axes_);
  options_.dilation_rate = one_per_axis(*this, "dilation_rate", options_.dilation_rate, axes_);
  expect_padding(*this, options_.padding, false);
  expect_channels_last(*this, options_.data_format);
  probability(layer + ": dropout", options_.dropout);
  probability(layer + ": recurrent_dropout", options_.recurrent_dropout);
  const ConvLSTMOptions& o = options_;
  walk_ = {.return_sequences = o.return_sequences,
           .return_state = o.return_state,
           .go_backwards = o.go_backwards,
           .stateful = o.stateful,
           .zero_output_for_mask = o.zero_output_for_mask};
}

void ConvLSTMImpl::build(std::span<const Shape> inputs) {
  const Shape& x = inputs[0];
  expect_rank(
      *this, inputs.first(1), axes_ + 3,
      axes_ == 1 ? "(batch, time, width, channels)" : "(batch, time, height, width, channels)");
  channels_ = x[-1];
  built_for_ = x;
  const bool unknown_state = options_.stateful && !x.slice(2, x.rank()).known();
  if (channels_ == unknown || unknown_state) {
    throw Error(ErrorKind::shape,
                titled(*this) + (unknown_state ? ": a stateful layer's places are not known"
                                               : ": the number of channels is not known"),
                {.got = x.to_string()});
  }
  Shape kernel = kernel_size_;
  kernel.push_back(channels_);
  kernel.push_back(4 * filters_);
  const ConvLSTMOptions& o = options_;
  kernel_ = &weight("kernel", kernel, o.kernel_initializer, o.kernel_regularizer, true,
                    o.kernel_constraint);
  kernel.set(-2, filters_);
  recurrent_kernel_ = &weight("recurrent_kernel", kernel, o.recurrent_initializer,
                              o.recurrent_regularizer, true, o.recurrent_constraint);
  if (!o.use_bias) return;
  const Initializer first =
      o.unit_forget_bias ? o.bias_initializer.with_unit_forget() : o.bias_initializer;
  bias_ = &weight("bias", {4 * filters_}, first, o.bias_regularizer, true, o.bias_constraint);
}

Shape ConvLSTMImpl::state_shape(const Shape& input) const {
  Shape shape = input.without(1);
  for (int axis = 0; axis < axes_; ++axis) {
    shape.set(axis + 1,
              slide_or_refuse(*this, input, axis + 2, kernel_size_[axis], options_.strides[axis],
                              options_.dilation_rate[axis], options_.padding)
                  .out);
  }
  shape.set(-1, filters_);
  return shape;
}

std::vector<Shape> ConvLSTMImpl::output_shapes(std::span<const Shape> inputs) const {
  const Shape& x = inputs[0];
  if (x.rank() != axes_ + 3 || x[-1] != channels_) {
    throw Error(ErrorKind::shape, titled(*this) + ": the input has another number of channels",
                {.got = x.to_string(), .want = std::to_string(channels_) + " last"});
  }
  const Shape state = state_shape(x);
  if (inputs.size() != 1 && inputs.size() != 3) {
    throw Error(ErrorKind::shape, titled(*this) + ": another number of initial states",
                {.got = std::to_string(inputs.size() - 1), .want = "2"});
  }
  for (const Shape& given : inputs.subspan(1)) {
    if (given.rank() == state.rank() &&
        given.slice(1, given.rank()) == state.slice(1, state.rank()))
      continue;
    throw Error(ErrorKind::shape, titled(*this) + ": an initial state has another shape",
                {.got = given.to_string(), .want = state.to_string()});
  }
  std::vector<Shape> shapes{options_.return_sequences ? state.with(1, x[1]) : state};
  if (options_.return_state) shapes.insert(shapes.end(), 2, state);
  return shapes;
}

std::vector<Shape> ConvLSTMImpl::state_shapes(Index batch) const {
  if (!options_.stateful) return {};
  Shape state = state_shape(built_for_);
  state.set(0, batch);
  return {state, state};
}

std::vector<Shape> ConvLSTMImpl::part_shapes(Index batch) const {
  if (options_.go_backwards) throw reads_from_the_end(*this);
  Shape state = state_shape(built_for_);
  state.set(0, batch);
  return {state, state};
}

kernels::ConvolutionShape ConvLSTMImpl::sizes(const Shape& from, const Shape& to,
                                              bool recurrent) const {
  kernels::ConvolutionShape s;
  s.rows = from.empty() ? 0 : from[0];
  s.channels = recurrent ? filters_ : channels_;
  s.filters = 4 * filters_;
  for (int i = 0; i < axes_; ++i) {
    auto& axis = i == axes_ - 1 ? s.x : s.y;
    axis.kernel = kernel_size_[i];
    if (!recurrent) axis.stride = options_.strides[i];
    if (!recurrent) axis.dilation = options_.dilation_rate[i];
    if (from.empty()) continue;  // only the kernel is asked for
    axis.size = from[i + 1];
    axis.out = to[i + 1];
    axis.before = slide(axis.size, axis.kernel, axis.stride, axis.dilation,
                        recurrent ? "same" : options_.padding)
                      .before;
  }
  return s;
}

void ConvLSTMImpl::prepare(DType dtype, bool training) {
  input_.prepare(sizes({}, {}, false), *kernel_, dtype, training);
  recurrent_.prepare(sizes({}, {}, true), *recurrent_kernel_, dtype, training);
}

/// The factors of a dropout: those of a row are the same at every step.
Var ConvLSTMImpl::scaled(Call& call, const Var& x, double rate, bool recurrent) const {
  if (!call.training() || rate <= 0) return x;
  const Shape row = recurrent ? x.shape() : x.shape().without(0);
  Var scale = call.tape().result(row, x.dtype(), false);
  const std::uint64_t seed =
      options_.seed >= 0 ? static_cast<std::uint64_t>(options_.seed) : call.seed();
  const base::Random random(seed, call.stream(*this) | (recurrent ? recurrent_stream : 0));
  with_float(x.dtype(), [&]<class T>() {
    const T keep = rate < 1 ? static_cast<T>(1 / (1 - rate)) : T{0};
    for_each_position(call, scale, [&](Index i, std::uint64_t position) {
      scale.data<T>()[i] = random.uniform(position) < rate ? T{0} : keep;
    });
  });
  return x * scale;
}

Vars ConvLSTMImpl::call(Call& call, const Vars& inputs) {
  // A mask that merely travelled with x is not used beside given states: Keras's rule.
  const bool masked = inputs.size() == 1 || call.explicit_mask();
  const Mask mask = masked ? call.mask() : Mask{};
  const Var& x = inputs[0];
  Vars initial;
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    // A state of several axes may come as a sequence would; it has no time.
    initial.push_back(inputs[i].time_first() ? swap_first_axes(inputs[i]) : inputs[i]);
  }
  const bool carries = !call.states(*this).empty();
  if (carries && initial.empty()) initial = load_states(call, *this);
  const Vars outputs = run(call, x, mask, initial);
  if (carries) store_states(call, *this, {outputs[1], outputs[2]});
  if (options_.return_sequences) call.set_mask(call.mask());
  if (options_.return_state) return outputs;
  return {outputs[0]};
}

Vars ConvLSTMImpl::run(Call& call, const Var& x, const Mask& mask, const Vars& given) {
  Vars initial = given;
  if (initial.empty()) {
    Shape whole = x.shape();
    whole.set(0, x.shape()[1]);
    whole.set(1, x.shape()[0]);
    for (int i = 0; i < 2; ++i) {
      Var state = call.tape().result(state_shape(whole), x.dtype(), false);
      std::memset(state.data<std::byte>(), 0,
                  static_cast<std::size_t>(state.elements() * size_of(x.dtype())));
      initial.push_back(state);
    }
  }
  return steps(call, x, mask, initial[0], initial[1]);
}

Vars ConvLSTMImpl::steps(Call& call, const Var& x, const Mask& mask, Var h, Var c) {
  const Index time = x.shape()[0], rows = x.shape()[1];
  // The input's products of all steps at once.
  Shape merged = x.shape().without(0);
  merged.set(0, time * rows);
  Shape products = h.shape();
  products.set(-1, 4 * filters_);
  Shape all_products = products;
  all_products.set(0, time * rows);
  const Var in = reshape(scaled(call, x, options_.dropout, false), merged);
  const Var from_input =
      reshape(input_(call, in, all_products, sizes(merged, all_products, false), *kernel_, bias_),
              products.with(0, time));

  const kernels::ConvolutionShape s = sizes(h.shape(), products, true);
  const GateActivations kinds{options_.activation, options_.recurrent_activation};
  Var* outputs = call.tape().arena().take_small<Var>(std::max<Index>(time, 1));
  Var nothing = call.tape().result(h.shape(), x.dtype(), false);
  std::memset(nothing.data<std::byte>(), 0,
              static_cast<std::size_t>(nothing.elements() * size_of(x.dtype())));
  Var previous = nothing;
  Shape flags{rows};
  while (flags.rank() < h.rank()) flags.push_back(1);
  for (Index i = 0; i < time; ++i) {
    const Index t = options_.go_backwards ? time - 1 - i : i;
    const Var kept_h = scaled(call, h, options_.recurrent_dropout, true);
    const Var from_state = recurrent_(call, kept_h, products, s, *recurrent_kernel_, nullptr);
    LSTMState next = lstm_gates(from_input[{t}], from_state, c, kinds);
    Var output = next.h;
    if (mask) {
      const Var kept = call.tape().leaf(flags, DType::uint8,
                                        const_cast<std::uint8_t*>(mask.data) + t * rows, nullptr);
      output = where(kept, next.h, options_.zero_output_for_mask ? nothing : previous);
      next = {where(kept, next.h, h), where(kept, next.c, c)};
    }
    h = next.h;
    c = next.c;
    previous = output;
    new (outputs + i) Var(output);
  }
  if (!options_.return_sequences) return {previous, h, c};
  const std::span<const Var> all_outputs(outputs, static_cast<std::size_t>(time));
  return {stack(all_outputs, 0).set_time_first(true), h, c};
}

std::shared_ptr<LayerImpl> made(int axes, Describer& options) {
  auto impl = std::make_shared<ConvLSTMImpl>(axes);
  impl->describe(options);
  return impl;
}

}  // namespace

ConvLSTM1D::ConvLSTM1D(Index filters, Index kernel_size, const ConvLSTMOptions& options)
    : Recurrent(named<ConvLSTMImpl>(options.name, 1, filters, Shape{kernel_size}, options)) {}
ConvLSTM2D::ConvLSTM2D(Index filters, const Shape& kernel_size, const ConvLSTMOptions& options)
    : Recurrent(named<ConvLSTMImpl>(options.name, 2, filters, kernel_size, options)) {}

std::shared_ptr<LayerImpl> make_conv_lstm(std::string_view class_name, Describer& options) {
  if (class_name == "ConvLSTM1D") return made(1, options);
  if (class_name == "ConvLSTM2D") return made(2, options);
  return nullptr;
}

}  // namespace unroll
