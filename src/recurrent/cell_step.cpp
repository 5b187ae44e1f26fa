#include "src/recurrent/cell_step.h"

#include "src/recurrent/walker.h"

namespace unroll {

std::vector<Shape> CellStepImpl::output_shapes(std::span<const Shape> inputs) const {
  std::vector<Shape> shapes{{inputs[0][0], cell_->output_size()}};
  for (const Index size : cell_->state_sizes()) shapes.push_back({inputs[0][0], size});
  return shapes;
}

Vars CellStepImpl::call(Call& call, const Vars& inputs) {
  const Var& x = inputs[0];
  Vars states;
  for (std::size_t i = 1; i < inputs.size(); ++i) states.push_back(inputs[i]);
  if (states.empty()) {
    for (const Index size : cell_->state_sizes()) {
      states.push_back(zeros(call, {x.shape()[0], size}, x.dtype()));
    }
  }
  const Step step = cell_->step(call, x, states);
  Vars outputs{step.output};
  for (const Var& state : step.states) outputs.push_back(state);
  return outputs;
}

}  // namespace unroll
