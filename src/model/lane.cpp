#include "src/model/lane.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "src/autograd/dispatch.h"
#include "unroll/error.h"

namespace unroll {

namespace {

/// Row r of the result takes row numbers[r]; with time first, step t of it lands at (t, r).
template <class From, class To>
void copy_rows(const Rows& rows, RowNumbers numbers, bool time_first, To* to) {
  const Index R = static_cast<Index>(numbers.size()), n = rows.row_elements();
  const Index T = time_first ? rows.row_shape()[0] : 1;
  const Index inner = T == 0 ? 0 : n / T;
  for (Index r = 0; r < R; ++r) {
    const From* from = static_cast<const From*>(rows.row(numbers[static_cast<std::size_t>(r)]));
    for (Index t = 0; t < T; ++t) {
      To* place = to + (t * R + r) * inner;
      for (Index i = 0; i < inner; ++i) place[i] = static_cast<To>(from[t * inner + i]);
    }
  }
}

template <class To>
void copy_rows_of(const Rows& rows, RowNumbers numbers, bool time_first, To* to) {
  switch (rows.dtype()) {
    case DType::float32:
      return copy_rows<float>(rows, numbers, time_first, to);
    case DType::float64:
      return copy_rows<double>(rows, numbers, time_first, to);
    case DType::int32:
      return copy_rows<std::int32_t>(rows, numbers, time_first, to);
    case DType::uint8:
      return copy_rows<std::uint8_t>(rows, numbers, time_first, to);
  }
}

}  // namespace

Var gather_rows(Tape& tape, const Rows& rows, RowNumbers numbers, DType dtype, bool time_first) {
  Shape shape = rows.row_shape().with(0, static_cast<Index>(numbers.size()));
  if (time_first) {
    shape.set(1, shape[0]);
    shape.set(0, rows.row_shape()[0]);
  }
  Var value = tape.result(shape, dtype, false);
  value.set_time_first(time_first);
  if (dtype == DType::int32) {
    copy_rows_of(rows, numbers, time_first, value.data<std::int32_t>());
  } else if (dtype == DType::float64) {
    copy_rows_of(rows, numbers, time_first, value.data<double>());
  } else {
    copy_rows_of(rows, numbers, time_first, value.data<float>());
  }
  return value;
}

void LaneGradient::begin(const FlatWeights& weights) {
  kept_.clear();
  ids_.clear();
  rows_.clear();
  if (dense_.elements() != weights.dense_size() || dense_.dtype() != weights.dtype()) {
    dense_ = Tensor({weights.dense_size()}, weights.dtype());
  } else {
    std::memset(dense_.raw(), 0, static_cast<std::size_t>(dense_.bytes()));
  }
}

void LaneGradient::add(const Sparse& rows, Index bytes) {
  kept_.push_back({rows.parameter, ids_.size(), rows.ids.size(), rows_.size()});
  ids_.insert(ids_.end(), rows.ids.begin(), rows.ids.end());
  rows_.insert(rows_.end(), rows.rows, rows.rows + bytes);
}

LaneGradient::Sparse LaneGradient::sparse(std::size_t i) const noexcept {
  const Kept& kept = kept_[i];
  return {kept.parameter, {ids_.data() + kept.first_id, kept.ids}, rows_.data() + kept.first_byte};
}

Lane::Lane(const Graph& graph, DType dtype)
    : graph_(graph),
      own_tape_(dtype, false),
      values_(graph.slots()),
      masks_of_(graph.slots()),
      leaves_(graph.parameters().size()) {
  // A lane may run for the first time in any step, and no step allocates what another one did not.
  embedded_.reserve(graph.parameters().size());
  for (const Parameter* parameter : graph.parameters()) {
    if (parameter->sparse) own_tape_.constant(Tensor({1}, dtype));
  }
  own_tape_.clear();
  tape_ = &own_tape_;
}

void Lane::start(const RunMode& mode, Index first_row, Index rows, const FlatWeights* weights,
                 LaneGradient* gradient) {
  own_tape_.clear();
  own_tape_.set_recording(mode.recording);
  own_tape_.set_team(mode.team);
  training_ = mode.training;
  seed_ = mode.seed;
  step_ = mode.step;
  states_ = mode.states;
  tables_ = mode.tables;
  batch_rows_ = mode.batch_rows;
  activity_loss_ = 0;
  first_row_ = first_row;
  rows_ = rows;
  weights_ = gradient != nullptr ? weights : nullptr;
  gradient_ = gradient;
  std::ranges::fill(leaves_, Var());
  std::ranges::fill(masks_of_, Mask{});
  embedded_.clear();
}

void Lane::reserve(Index bytes) {
  own_tape_.clear();
  own_tape_.arena().take<std::byte>(bytes);
  own_tape_.clear();
}

void Lane::gather(const std::vector<Rows>& inputs, RowNumbers numbers) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const GraphInput& input = graph_.inputs()[i];
    const DType dtype = input.ids ? DType::int32 : own_tape_.dtype();
    const auto table = std::ranges::find(tables_, i, &Tabulated::input);
    if (table != tables_.end()) {
      const auto own =
          table->numbers().subspan(static_cast<std::size_t>(first_row_), numbers.size());
      values_[input.slot] = gather_rows(own_tape_, table->places(), own, dtype, input.time_first);
      continue;
    }
    values_[input.slot] = gather_rows(own_tape_, inputs[i], numbers, dtype, input.time_first);
  }
}

void Lane::forward() {
  const Frame frame{values_.data(), masks_of_.data()};
  for (const GraphStep& step : graph_.steps()) {
    if (!step.inputs.empty()) run(step, frame);
  }
}

Var Lane::turned(const Var& x, bool time_first) {
  // Rows without a second axis lie one way only; ids of rank 2 are (batch, time).
  const bool sequence = x.rank() >= 3 || (x.rank() == 2 && x.dtype() == DType::int32);
  if (!sequence || x.time_first() == time_first) return x;
  return swap_first_axes(x);
}

/// A mask from values of any kind, 0: skip.
Mask Lane::mask_of(const Var& value) {
  const Var kept = value.time_first() ? value : swap_first_axes(value);
  auto* data = own_tape_.arena().take<std::uint8_t>(kept.elements());
  const auto fill = [&](const auto* from) {
    for (Index i = 0; i < kept.elements(); ++i) data[i] = from[i] != 0 ? 1 : 0;
  };
  if (kept.dtype() == DType::uint8) {
    fill(kept.data<std::uint8_t>());
  } else if (kept.dtype() == DType::int32) {
    fill(kept.data<std::int32_t>());
  } else {
    with_float(kept.dtype(), [&]<class T>() { fill(kept.data<T>()); });
  }
  return {data, kept.shape()[0], kept.shape()[1]};
}

void Lane::penalize(const LayerImpl& layer, const Vars& outputs) {
  if (!layer.activity_regularizer || batch_rows_ == 0) return;
  for (const Var& y : outputs) {
    with_float(y.dtype(), [&]<class T>() { add_penalty<T>(layer.activity_regularizer, y); });
  }
}

template <class T>
void Lane::add_penalty(const Regularizer& penalty, const Var& y) {
  const double share = 1 / static_cast<double>(batch_rows_);
  const T* values = y.data<T>();
  double sum = 0;
  for (Index i = 0; i < y.elements(); ++i) {
    const auto value = static_cast<double>(values[i]);
    sum += penalty.l1 * std::abs(value) + penalty.l2 * value * value;
  }
  activity_loss_ += sum * share;
  if (!y.needs_gradient()) return;
  const auto l1 = static_cast<T>(penalty.l1 * share), l2 = static_cast<T>(2 * penalty.l2 * share);
  own_tape_.record_always([y, l1, l2] {
    const T* value = y.data<T>();
    T* gradient = y.gradient<T>();
    for (Index i = 0; i < y.elements(); ++i) {
      const T sign = static_cast<T>((value[i] > 0) - (value[i] < 0));
      gradient[i] += l1 * sign + l2 * value[i];
    }
  });
}

/// An Embedding that is tabulated passes its ids on, and place 0 is that of id 0.
Vars Lane::call_layer(const GraphStep& step, const Vars& inputs) {
  for (Tabulated& table : tables_) {
    if (&step == table.embedding()) {
      if (step.layer->makes_masks()) set_mask(mask_of(inputs[0]));
      return inputs;
    }
    if (&step == table.reader()) {
      return table.layer().call_tabulated(*this, inputs, table.rows_of(first_row_));
    }
  }
  return step.layer->call(*this, inputs);
}

void Lane::run(const GraphStep& step, const Frame& frame) {
  Vars inputs;
  masks_.clear();
  out_masks_.clear();
  const Order order = step.layer->order();
  const bool first_turned = frame.values[step.inputs[0]].time_first();
  for (std::size_t slot : step.inputs) {
    const bool time_first = order == Order::time_first || (order == Order::any && first_turned);
    inputs.push_back(turned(frame.values[slot], time_first));
    masks_.push_back(frame.masks[slot]);
  }
  explicit_mask_ = !step.masks.empty();
  for (std::size_t i = 0; explicit_mask_ && i < masks_.size(); ++i) {
    const bool given = i < step.masks.size() && step.masks[i] != GraphStep::no_slot;
    masks_[i] = given ? mask_of(frame.values[step.masks[i]]) : Mask{};
  }
  const Mask travelling = masks_[0];
  const Vars outputs = call_layer(step, inputs);
  penalize(*step.layer, outputs);
  const MaskRule rule = step.layer->mask_rule();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    frame.values[step.first_output + i] = outputs[i];
    Mask mask;
    if (rule == MaskRule::pass && i == 0) mask = travelling;
    if (rule == MaskRule::own && i < out_masks_.size()) mask = out_masks_[i];
    frame.masks[step.first_output + i] = mask;
  }
}

Vars Lane::run(const Graph& graph, const Vars& inputs) {
  base::Arena& arena = own_tape_.arena();
  const auto slots = static_cast<Index>(graph.slots());
  const Frame frame{arena.take_small<Var>(slots), arena.take_small<Mask>(slots)};
  std::uninitialized_fill_n(frame.values, slots, Var());
  std::uninitialized_fill_n(frame.masks, slots, Mask{});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    frame.values[graph.inputs()[i].slot] = inputs[i];
    frame.masks[graph.inputs()[i].slot] = mask(i);
  }
  for (const GraphStep& step : graph.steps()) {
    if (!step.inputs.empty()) run(step, frame);
  }
  Vars outputs;
  out_masks_.clear();
  for (std::size_t slot : graph.outputs()) {
    outputs.push_back(frame.values[slot]);
    out_masks_.push_back(frame.masks[slot]);
  }
  return outputs;
}

Var Lane::use(const Parameter& parameter) {
  Var& leaf = leaves_[parameter.position];
  if (leaf) return leaf;
  const Index offset = weights_ != nullptr ? weights_->offset(parameter.position) : -1;
  if (offset >= 0 && parameter.sparse) {
    // Its rows arrive through add_sparse; the leaf only says that a gradient is wanted.
    leaf = own_tape_.variable(parameter.value());
    return leaf;
  }
  auto* value = const_cast<void*>(parameter.value().raw());
  std::byte* gradient = nullptr;
  if (offset >= 0) {
    gradient = gradient_->dense<std::byte>() + offset * size_of(own_tape_.dtype());
  }
  leaf = own_tape_.leaf(parameter.shape(), parameter.value().dtype(), value, gradient);
  return leaf;
}

void Lane::backward() {
  own_tape_.backward();
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    if (!leaves_[i] || !graph_.parameters()[i]->sparse || !leaves_[i].has_gradient()) continue;
    throw Error(ErrorKind::unsupported, "an embedding table used as an ordinary weight",
                {.got = "\"" + graph_.parameters()[i]->name() + "\" in a dense operation",
                 .hint = "set Parameter::sparse to false for a table that is also used otherwise"});
  }
  for (const Embedded& one : embedded_) {
    const std::span<const std::int32_t> ids(one.ids.data<std::int32_t>(),
                                            static_cast<std::size_t>(one.ids.elements()));
    gradient_->add({one.parameter, ids, one.rows.gradient<std::byte>()},
                   one.rows.elements() * size_of(one.rows.dtype()));
  }
}

void Lane::add_sparse(const Parameter& parameter, const Var& ids, const Var& d_rows) {
  embedded_.push_back({parameter.position, ids, d_rows});
}

std::span<Tensor> Lane::states(const Component& component) {
  if (states_ == nullptr) return {};
  const auto found = states_->find(&component);
  return found == states_->end() ? std::span<Tensor>() : std::span<Tensor>(found->second);
}

}  // namespace unroll
