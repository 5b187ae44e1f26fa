// Truncated backpropagation through time: sequences that are trained in parts.
#include <algorithm>

#include "src/model/trainer.h"
#include "unroll/error.h"

namespace unroll {

namespace {

/// The steps of all sequences. Throws: Error (shape).
Index steps_of(const std::vector<Rows>& x, const std::vector<Rows>& y) {
  const Shape& first = x[0].row_shape();
  for (const std::vector<Rows>* all : {&x, &y}) {
    for (const Rows& rows : *all) {
      if (rows.row_shape().rank() > 0 && rows.row_shape()[0] == first[0]) continue;
      throw Error(ErrorKind::shape, "tbptt cuts inputs and targets that are sequences",
                  {.got = rows.shape().to_string(),
                   .want = "(rows, " + std::to_string(first[0]) + ", ...)",
                   .hint = "a target for every step: return_sequences in the last layer"});
    }
  }
  return first[0];
}

void cut(const std::vector<Rows>& rows, Index first, Index last, std::vector<Rows>& parts) {
  parts.clear();
  for (const Rows& one : rows) parts.push_back(one.steps(first, last));
}

}  // namespace

void Trainer::train_in_parts(const Batch& batch, Index length, States& states, Totals& totals) {
  const Index steps = steps_of(*batch.x, *batch.y);
  part_states_ = states;  // tensors share their numbers: stateful layers keep theirs
  for (LayerImpl* layer : graph_.all_layers()) {
    if (part_states_.contains(layer)) continue;
    for (const Shape& shape : layer->part_shapes(static_cast<Index>(batch.numbers.size()))) {
      part_states_[layer].emplace_back(shape, dtype_);
    }
  }
  const bool by_step = batch.sample_weight != nullptr && !batch.sample_weight->empty() &&
                       batch.sample_weight->row_elements() == steps;
  for (Index first = 0; first < steps; first += length) {
    const Index last = std::min(first + length, steps);
    cut(*batch.x, first, last, part_x_);
    cut(*batch.y, first, last, part_y_);
    Batch part{&part_x_, &part_y_, batch.sample_weight, batch.numbers};
    const Rows weight = by_step ? batch.sample_weight->steps(first, last) : Rows();
    if (by_step) part.sample_weight = &weight;
    train(part, part_states_, totals);
  }
}

}  // namespace unroll
