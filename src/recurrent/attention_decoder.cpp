#include "src/recurrent/attention_decoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "src/autograd/dispatch.h"
#include "src/base/random.h"
#include "src/kernels/softmax.h"
#include "src/layers/noise.h"
#include "src/layers/plain.h"
#include "src/recurrent/cells.h"

namespace unroll {

namespace {

constexpr std::uint64_t of_inputs = 1, of_outputs = 2, of_forcing = 3, of_choices = 4;
constexpr int salt_shift = 56;  // above the step and the ordinal of a stream
constexpr std::size_t most_cells = 8;

/// Rows [first, first + rows) of a value whose first axes are rows, with its own gradient.
Var rows_of_value(const Var& x, Index first, const Shape& shape) {
  const Index width = shape[-1];
  const Index at = first * width * size_of(x.dtype());
  std::byte* gradient = x.needs_gradient() ? x.gradient<std::byte>() + at : nullptr;
  return x.tape().leaf(shape, x.dtype(), x.data<std::byte>() + at, gradient);
}

/// The last step that any row keeps, plus 1.
Index used_steps(const Mask& mask, Index time) {
  if (!mask) return time;
  const auto* end = mask.data + mask.time * mask.rows;
  while (end != mask.data && end[-1] == 0) --end;
  return (end - mask.data + mask.rows - 1) / std::max<Index>(mask.rows, 1);
}

/// x (used, rows, n) as (time, rows, n): zeros behind.
Var lengthened(const Var& x, Index time) {
  if (x.shape()[0] == time) return x;
  Shape shape = x.shape();
  shape.set(0, time);
  Var y = x.tape().result(shape, {x});
  with_float(x.dtype(), [&]<class T>() {
    std::copy_n(x.data<T>(), x.elements(), y.data<T>());
    std::fill(y.data<T>() + x.elements(), y.data<T>() + y.elements(), T{0});
  });
  x.tape().record(y, [x, y] {
    with_float(x.dtype(), [&]<class T>() {
      T* dx = x.gradient<T>();
      const T* dy = y.gradient<T>();
      for (Index i = 0; i < x.elements(); ++i) dx[i] += dy[i];
    });
  });
  return y;
}

}  // namespace

AttentionDecoderImpl::AttentionDecoderImpl(std::vector<Cell> cells,
                                           const AttentionDecoderOptions& options)
    : cells_(std::move(cells)), options_(options) {
  check_options();
}

void AttentionDecoderImpl::check_options() const {
  const std::string& kind = options_.attention;
  if (kind != "general" && kind != "dot" && kind != "additive") {
    throw Error(ErrorKind::value, "AttentionDecoder: no such attention",
                {.got = "\"" + kind + "\"", .want = "general, dot or additive"});
  }
  if (cells_.size() > most_cells) {
    throw Error(
        ErrorKind::value, "AttentionDecoder: too many cells",
        {.got = std::to_string(cells_.size()), .want = "at most " + std::to_string(most_cells)});
  }
  if (options_.output_size < 0) {
    throw Error(ErrorKind::value, "AttentionDecoder: output_size is negative",
                {.got = std::to_string(options_.output_size), .want = "0 or more"});
  }
  if (!(options_.dropout >= 0 && options_.dropout < 1)) {
    throw Error(ErrorKind::value, "AttentionDecoder: dropout is out of range",
                {.got = std::to_string(options_.dropout), .want = "from 0 to below 1"});
  }
}

void AttentionDecoderImpl::describe(Describer& d) {
  std::vector<std::shared_ptr<Component>> list(cells_.begin(), cells_.end());
  d.field("cells", list);
  cells_.clear();
  for (auto& cell : list) cells_.push_back(std::dynamic_pointer_cast<CellImpl>(cell));
  d.field("attention", options_.attention);
  d.field("output_size", options_.output_size);
  d.field("input_feeding", options_.input_feeding);
  d.field("dropout", options_.dropout);
  d.field("seed", options_.seed);
  d.field("kernel_initializer", options_.kernel_initializer);
  check_options();
}

void AttentionDecoderImpl::build(std::span<const Shape> inputs) {
  if (cells_.empty()) throw Error(ErrorKind::value, "AttentionDecoder of no cells");
  const bool fits = inputs.size() >= 2 && inputs[0].rank() == 3 && inputs[1].rank() == 3 &&
                    inputs[0][2] != unknown && inputs[1][2] != unknown;
  if (!fits) {
    std::string got;
    for (const Shape& shape : inputs) got += (got.empty() ? "" : ", ") + shape.to_string();
    throw Error(
        ErrorKind::shape, titled(*this) + ": the inputs do not fit",
        {.got = got, .want = "(batch, time, features), memory (batch, steps, size), then states"});
  }
  features_ = inputs[0][2];
  size_ = inputs[1][2];
  query_ = cells_.back()->output_size();
  units_ = options_.output_size > 0 ? options_.output_size : query_;
  if (options_.attention == "dot" && query_ != size_) {
    throw Error(ErrorKind::shape, titled(*this) + ": \"dot\" wants a memory of the cell's size",
                {.got = std::to_string(size_), .want = std::to_string(query_)});
  }
  const Initializer& initializer = options_.kernel_initializer;
  const Parameter* kernel = &weight("output_kernel", {query_ + size_, units_}, initializer);
  output_ = PackedKernel(kernel, &weight("output_bias", {units_}, "zeros"));
  if (options_.attention != "dot") {
    key_ = PackedKernel(&weight("key_kernel", {size_, query_}, initializer), nullptr);
  }
  if (additive()) {
    query_kernel_ = PackedKernel(&weight("query_kernel", {query_, query_}, initializer), nullptr);
    scale_ = &weight("attention_scale", {query_}, initializer);
  }
  Index width = features_ + (additive() ? size_ : 0) + (options_.input_feeding ? units_ : 0);
  for (const Cell& cell : cells_) {
    auto walker = std::make_shared<WalkerImpl>("RNN", cell, Walk{.return_sequences = true});
    const Shape sequence{unknown, unknown, width};
    walker->build_once({&sequence, 1});
    add_child(walker);
    walkers_.push_back(walker);
    state_counts_.push_back(walker->states());
    for (const Index size : cell->state_sizes()) state_sizes_.push_back(size);
    const auto* fused = dynamic_cast<const FusedCell*>(cell.get());
    const bool separable = fused != nullptr && fused->separable() && fused->dropout() <= 0 &&
                           fused->recurrent_dropout() <= 0;
    CellKernels kernels;
    if (separable) {
      const FusedCell::Weights w = fused->weights();
      const bool two_biases = w.bias != nullptr && w.bias->shape().rank() == 2;
      kernels = {fused, PackedKernel(w.kernel, w.bias),
                 PackedKernel(w.recurrent_kernel, two_biases ? w.bias : nullptr, 1)};
    }
    kernels_.push_back(kernels);
    width = cell->output_size();
  }
}

std::vector<Shape> AttentionDecoderImpl::output_shapes(std::span<const Shape> inputs) const {
  const bool fits = inputs[0].rank() == 3 && inputs[0][2] == features_ && inputs[1].rank() == 3 &&
                    inputs[1][2] == size_;
  if (!fits) {
    throw Error(ErrorKind::shape, titled(*this) + ": the inputs have other sizes",
                {.got = inputs[0].to_string() + ", " + inputs[1].to_string(),
                 .want = "(batch, time, " + std::to_string(features_) + "), (batch, steps, " +
                         std::to_string(size_) + ")"});
  }
  if (inputs.size() != 2 && inputs.size() != 2 + state_sizes_.size()) {
    throw Error(
        ErrorKind::shape, titled(*this) + ": another number of initial states",
        {.got = std::to_string(inputs.size() - 2), .want = std::to_string(state_sizes_.size())});
  }
  for (std::size_t i = 2; i < inputs.size(); ++i) {
    if (inputs[i].rank() == 2 && inputs[i][1] == state_sizes_[i - 2]) continue;
    throw Error(ErrorKind::shape, titled(*this) + ": an initial state has another shape",
                {.got = inputs[i].to_string(),
                 .want = "(batch, " + std::to_string(state_sizes_[i - 2]) + ")"});
  }
  return {{inputs[0][0], inputs[0][1], units_}};
}

bool AttentionDecoderImpl::must_step(const Call& call) const {
  const bool speaks = call.training() && feedback_.embedding != nullptr && feedback_.forcing < 1;
  return options_.input_feeding || additive() || speaks;
}

void AttentionDecoderImpl::prepare(DType dtype, bool training) {
  for (const auto& walker : walkers_) walker->prepare(dtype, training);
  prepare_steps(dtype, training);
}

void AttentionDecoderImpl::prepare_steps(DType dtype, bool training) {
  output_.prepare(dtype, training);
  if (options_.attention != "dot") key_.prepare(dtype, training);
  if (additive()) query_kernel_.prepare(dtype, training);
  for (CellKernels& kernels : kernels_) {
    if (kernels.cell == nullptr) continue;
    kernels.input.prepare(dtype, training);
    kernels.recurrent.prepare(dtype, training);
  }
}

Attended AttentionDecoderImpl::attend_to(Call& call, const Var& memory, const Mask& mask) const {
  Attended to{memory, memory, {}, mask};
  if (options_.attention != "dot") to.keys = packed_product(call, key_, memory);
  if (scale_ != nullptr) to.scale = call.use(*scale_);
  return to;
}

DecoderState AttentionDecoderImpl::first_state(Call& call, std::span<const Var> states,
                                               Index rows) const {
  DecoderState first;
  for (std::size_t i = 0; i < state_sizes_.size(); ++i) {
    first.states.push_back(
        states.empty() ? zeros(call, {rows, state_sizes_[i]}, call.tape().dtype()) : states[i]);
  }
  if (options_.input_feeding) first.fed = zeros(call, {rows, units_}, call.tape().dtype());
  return first;
}

/// 1 / (1 - rate) or 0, (used, rows, width); empty where nothing is dropped.
Var AttentionDecoderImpl::dropout_scale(Call& call, Index time, Index used, Index width,
                                        std::uint64_t salt) const {
  if (!call.training() || options_.dropout <= 0) return {};
  const std::uint64_t seed =
      options_.seed >= 0 ? static_cast<std::uint64_t>(options_.seed) : call.seed();
  const base::Random random(seed, call.stream(*this) ^ (salt << salt_shift));
  const Index rows = call.rows(), blocks = (width + 3) / 4;
  Var scale = call.tape().result({used, rows, width}, call.tape().dtype(), false);
  const auto limit = static_cast<std::uint32_t>(options_.dropout * 0x1p32);
  with_float(scale.dtype(), [&]<class T>() {
    const T keep = static_cast<T>(1 / (1 - options_.dropout));
    T* to = scale.data<T>();
    for (Index t = 0; t < used; ++t) {
      for (Index r = 0; r < rows; ++r, to += width) {
        const Index at = ((call.first_row() + r) * time + t) * blocks;
        for (Index b = 0; b < blocks; ++b) {
          const auto bits = random.block(static_cast<std::uint64_t>(at + b));
          for (Index i = 4 * b; i < std::min(4 * b + 4, width); ++i) {
            to[i] = bits[static_cast<std::size_t>(i & 3)] < limit ? T{0} : keep;
          }
        }
      }
    }
  });
  return scale;
}

Vars AttentionDecoderImpl::call(Call& call, const Vars& inputs) {
  const Mask mask = call.mask(0), memory_mask = call.mask(1);
  const Index time = inputs[0].shape()[0], rows = inputs[0].shape()[1];
  const Index used = used_steps(mask, time);
  prepare(call.tape().dtype(), call.tape().recording());
  const Attended to = attend_to(call, inputs[1], memory_mask);
  const DecoderState first = first_state(call, {inputs.data() + 2, inputs.size() - 2}, rows);
  Var x = call.tape().alias(inputs[0], {used, rows, features_});
  const Var input_scale = dropout_scale(call, time, used, features_, of_inputs);
  const Var output_scale = dropout_scale(call, time, used, units_, of_outputs);
  if (input_scale) x = x * input_scale;
  x.set_time_first(true);
  Var y;
  if (used == 0) {
    y = zeros(call, {0, rows, units_}, x.dtype());
  } else if (must_step(call)) {
    y = steps(call, x, mask, to, first, input_scale, output_scale);
  } else {
    y = walk(call, x, mask, to, first, output_scale);
  }
  y = lengthened(y, time);
  y.set_time_first(true);
  if (mask) call.set_mask(mask);
  return {y};
}

/// Every input is known before: the cells take the whole sequence at once, then all steps attend.
Var AttentionDecoderImpl::walk(Call& call, const Var& x, const Mask& mask, const Attended& to,
                               const DecoderState& first, const Var& scale) {
  const Index used = x.shape()[0], rows = x.shape()[1], all = used * rows;
  const Mask seen{mask.data, mask ? used : 0, mask ? rows : 0};
  Var h = x;
  std::size_t at = 0;
  for (std::size_t i = 0; i < walkers_.size(); ++i) {
    Vars own;
    for (std::size_t s = 0; s < state_counts_[i]; ++s) own.push_back(first.states[at++]);
    h = walkers_[i]->run(call, h, seen, own)[0];
  }
  auto* which = call.tape().arena().take<Index>(all);
  for (Index i = 0; i < all; ++i) which[i] = i % rows;
  const Var query = call.tape().alias(h, {all, query_});
  const Attention1 found = attend_step(query, to, which);
  StepProduct product(call, output_, all);
  const Var y = reshape(tanh(product.add({query, found.context})), {used, rows, units_});
  return scale ? y * scale : y;
}

Var AttentionDecoderImpl::steps(Call& call, const Var& x, const Mask& mask, const Attended& to,
                                const DecoderState& first, const Var& input_scale,
                                const Var& output_scale) {
  Tape& tape = call.tape();
  const Index used = x.shape()[0], rows = x.shape()[1];
  auto* which = tape.arena().take<Index>(rows);
  for (Index i = 0; i < rows; ++i) which[i] = i;
  DecoderSteps walk(call, *this, used * rows);
  DecoderState state = first;
  Var* outputs = tape.arena().take_small<Var>(used);
  const bool speaks = call.training() && feedback_.embedding != nullptr && feedback_.forcing < 1;
  for (Index t = 0; t < used; ++t) {
    Var in = rows_of_value(x, t * rows, {rows, features_});
    if (speaks && t > 0) in = own_inputs(call, in, outputs[t - 1], input_scale, t, used);
    const auto* kept = mask ? mask.data + t * rows : nullptr;
    const bool holes = kept != nullptr && std::find(kept, kept + rows, 0) != kept + rows;
    const Var keep =
        holes ? tape.leaf({rows, 1}, DType::uint8, const_cast<std::uint8_t*>(kept), nullptr)
              : Var();
    Var y = walk.step(in, state, to, which, keep);
    if (output_scale) y = y * rows_of_value(output_scale, t * rows, {rows, units_});
    if (options_.input_feeding) state.fed = y;
    new (outputs + t) Var(y);
  }
  return stack(std::span<const Var>(outputs, static_cast<std::size_t>(used)), 0);
}

namespace {

/// The most probable id of each row, or one drawn by its probability.
template <class T>
void choose_ids(const Var& logits, const base::Random* random, std::uint64_t position,
                std::uint64_t stride, T* scratch, std::int32_t* ids) {
  const Index rows = logits.shape()[0], n = logits.shape()[1];
  for (Index r = 0; r < rows; ++r, position += stride) {
    const T* row = logits.data<T>() + r * n;
    Index id = std::max_element(row, row + n) - row;
    if (random != nullptr) {
      kernels::softmax(1, n, row, scratch);
      double left = random->uniform(position);
      for (id = 0; id + 1 < n && left >= static_cast<double>(scratch[id]); ++id) {
        left -= static_cast<double>(scratch[id]);
      }
    }
    ids[r] = static_cast<std::int32_t>(id);
  }
}

}  // namespace

Var AttentionDecoderImpl::own_inputs(Call& call, const Var& x, const Var& output,
                                     const Var& input_scale, Index t, Index time) const {
  Tape& tape = call.tape();
  const Index rows = call.rows();
  const auto stride = static_cast<std::uint64_t>(time);
  const auto position = static_cast<std::uint64_t>(call.first_row() * time + t);
  const auto draw = [&](std::uint64_t salt) {
    return base::Random(call.seed(), call.stream(*this) ^ (salt << salt_shift));
  };
  const base::Random forced = draw(of_forcing), choices = draw(of_choices);
  Var condition = tape.result({rows, 1}, DType::uint8, false);
  bool any = false;
  for (Index r = 0; r < rows; ++r) {
    const double u = forced.uniform(position + static_cast<std::uint64_t>(r) * stride);
    condition.data<std::uint8_t>()[r] = u < feedback_.forcing ? 1 : 0;
    any = any || u >= feedback_.forcing;
  }
  if (!any) return x;
  const Var logits = feedback_.embedding->call(call, {output})[0];
  const Var ids = tape.result({rows}, DType::int32, false);
  with_float(logits.dtype(), [&]<class T>() {
    const auto before = tape.arena().mark();
    T* scratch = tape.arena().take<T>(logits.shape()[1]);
    choose_ids<T>(logits, feedback_.sampled ? &choices : nullptr, position, stride, scratch,
                  ids.data<std::int32_t>());
    tape.arena().release(before);
  });
  Var own = feedback_.embedding->call(call, {ids})[0];
  if (input_scale) own = own * rows_of_value(input_scale, t * rows, {rows, features_});
  return where(condition, x, own);
}

// --- DecoderSteps ---

namespace {

StepProduct* placed(Call& call, const PackedKernel& kernel, Index rows) {
  return new (call.tape().arena().take_small<StepProduct>()) StepProduct(call, kernel, rows);
}

}  // namespace

DecoderSteps::DecoderSteps(Call& call, AttentionDecoderImpl& decoder, Index rows)
    : call_(call), decoder_(decoder), output_(placed(call, decoder.output_, rows)) {
  if (decoder.additive()) query_ = placed(call, decoder.query_kernel_, rows);
  for (std::size_t i = 0; i < decoder.cells_.size(); ++i) {
    if (decoder.kernels_[i].cell == nullptr) continue;
    input_[i] = placed(call, decoder.kernels_[i].input, rows);
    recurrent_[i] = placed(call, decoder.kernels_[i].recurrent, rows);
  }
}

Step DecoderSteps::cell_step(std::size_t cell, const Var& x, const Var& more, const Var& fed,
                             const Vars& states) {
  if (input_[cell] == nullptr) {
    Var joined = x;
    if (more) joined = concat({joined, more}, 1);
    if (fed) joined = concat({joined, fed}, 1);
    return decoder_.cells_[cell]->step(call_, joined, states);
  }
  const Var a = more && fed ? input_[cell]->add({x, more, fed})
                : more      ? input_[cell]->add({x, more})
                : fed       ? input_[cell]->add({x, fed})
                            : input_[cell]->add({x});
  return decoder_.kernels_[cell].cell->combine(a, recurrent_[cell]->add({states[0]}), states);
}

Var DecoderSteps::step(const Var& x, DecoderState& state, const Attended& to, const Index* rows,
                       const Var& keep, Var* weights) {
  Attention1 found;
  const std::size_t top = state.states.size() - decoder_.state_counts_.back();
  if (query_ != nullptr) found = attend_step(query_->add({state.states[top]}), to, rows);
  Var h = x;
  std::size_t at = 0;
  for (std::size_t i = 0; i < decoder_.cells_.size(); ++i) {
    Vars own;
    const std::size_t count = decoder_.state_counts_[i];
    for (std::size_t s = 0; s < count; ++s) own.push_back(state.states[at + s]);
    const Step taken = i == 0 ? cell_step(i, h, found.context, state.fed, own)
                              : cell_step(i, h, Var(), Var(), own);
    for (std::size_t s = 0; s < count; ++s, ++at) {
      state.states[at] = keep ? where(keep, taken.states[s], own[s]) : taken.states[s];
    }
    h = taken.output;
  }
  if (query_ == nullptr) found = attend_step(h, to, rows);
  if (weights != nullptr) *weights = found.weights;
  return tanh(output_->add({h, found.context}));
}

// --- handles ---

namespace {

std::vector<Cell> flat(const Cell& cell) {
  const auto* stacked = dynamic_cast<const StackedCellsImpl*>(cell.get());
  return stacked != nullptr ? stacked->cells() : std::vector<Cell>{cell};
}

}  // namespace

AttentionDecoder::AttentionDecoder(Cell cell, const AttentionDecoderOptions& options)
    : AttentionDecoder(flat(cell), options) {}
AttentionDecoder::AttentionDecoder(std::vector<Cell> cells, const AttentionDecoderOptions& options)
    : Layer(named<AttentionDecoderImpl>(options.name, std::move(cells), options)) {}

std::shared_ptr<LayerImpl> make_attention_decoder(std::string_view class_name, Describer& options) {
  return class_name == "AttentionDecoder" ? described<AttentionDecoderImpl>(options) : nullptr;
}

}  // namespace unroll
