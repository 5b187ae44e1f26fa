#include "src/model/nested.h"

#include <algorithm>

#include "src/model/model_impl.h"
#include "unroll/error.h"

namespace unroll {

namespace {

bool could_be(const Shape& given, const Shape& wanted) {
  if (given.rank() != wanted.rank()) return false;
  for (int axis = 0; axis < given.rank(); ++axis) {
    const bool known = given[axis] != unknown && wanted[axis] != unknown;
    if (known && given[axis] != wanted[axis]) return false;
  }
  return true;
}

}  // namespace

NestedModel::NestedModel(std::shared_ptr<ModelImpl> model) : model_(std::move(model)) {
  // A name that nobody chose is made anew by the model it stands in: "sequential_1".
  if (model_->name != snake_case(class_name())) name = model_->name;
  if (model_->graph != nullptr) adopt();
}

const Graph& NestedModel::graph() const { return model_->built_graph(); }

std::string_view NestedModel::class_name() const {
  return model_->sequential ? "Sequential" : "Functional";
}

void NestedModel::adopt() {
  for (const auto& layer : graph().layers()) add_child(layer);
}

void NestedModel::build(std::span<const Shape> inputs) {
  if (model_->graph == nullptr) {
    model_->build_sequence(inputs[0]);
    adopt();
  }
  const std::vector<GraphInput>& wanted = graph().inputs();
  if (inputs.size() == wanted.size()) return;
  throw Error(ErrorKind::shape, "the model \"" + model_->name + "\" has another number of inputs",
              {.got = std::to_string(inputs.size()), .want = std::to_string(wanted.size())});
}

std::vector<Shape> NestedModel::output_shapes(std::span<const Shape> inputs) const {
  std::vector<Shape> slots(graph().slots());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const GraphInput& input = graph().inputs()[i];
    if (!could_be(inputs[i], input.shape)) {
      throw Error(ErrorKind::shape,
                  "input \"" + input.layer->name + "\" of the model \"" + model_->name +
                      "\" has another shape",
                  {.got = inputs[i].to_string(), .want = input.shape.to_string()});
    }
    slots[input.slot] = inputs[i];
  }
  for (const GraphStep& step : graph().steps()) {
    if (step.inputs.empty()) continue;
    std::vector<Shape> given;
    for (std::size_t slot : step.inputs) given.push_back(slots[slot]);
    const std::vector<Shape> made = step.layer->output_shapes(given);
    std::ranges::copy(made, slots.begin() + static_cast<std::ptrdiff_t>(step.first_output));
  }
  std::vector<Shape> shapes;
  for (std::size_t slot : graph().outputs()) shapes.push_back(slots[slot]);
  return shapes;
}

Vars NestedModel::call(Call& call, const Vars& inputs) {
  auto* lane = dynamic_cast<Lane*>(&call);
  if (lane == nullptr) {
    throw Error(ErrorKind::unsupported, "a nested model outside of a model",
                {.got = "\"" + model_->name + "\" in a call of another kind"});
  }
  return lane->run(graph(), inputs);
}

void NestedModel::prepare(DType dtype, bool training) {
  for (const auto& layer : graph().layers()) layer->prepare(dtype, training);
}

}  // namespace unroll
