// The state of a model's training as one value, and the learning rate.
#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "src/model/model_impl.h"
#include "unroll/error.h"
#include "unroll/record.h"

namespace unroll {

namespace {

std::string numbered(const char* group, std::size_t i) {
  return std::string(group) + "/" + std::to_string(i);
}

void copy_into(Tensor& place, const Tensor& from, const std::string& name) {
  if (from.shape() != place.shape() || from.dtype() != place.dtype()) {
    throw Error(ErrorKind::shape, "the record is of another model: \"" + name + "\" does not fit",
                {.got = from.describe(), .want = place.describe()});
  }
  std::memcpy(place.raw(), from.raw(), static_cast<std::size_t>(from.bytes()));
}

}  // namespace

double Model::learning_rate() const {
  const Trainer& trainer = impl_->ready(true);
  return trainer.options().optimizer.learning_rate().at(trainer.iterations());
}

void Model::set_learning_rate(double rate) {
  Trainer& trainer = impl_->ready(true);
  const Optimizer& optimizer = trainer.options().optimizer;
  if (!optimizer.learning_rate().constant()) {
    throw Error(ErrorKind::value,
                std::string(optimizer.class_name()) + ": a schedule says the learning rate",
                {.want = "a number for learning_rate, for it to be set",
                 .hint = "compile with {.learning_rate = 0.001}, or leave out the callback"});
  }
  if (!(rate >= 0) || std::isinf(rate)) {
    throw Error(ErrorKind::value,
                std::string(optimizer.class_name()) + ": learning_rate is out of range",
                {.got = fmt::format("{}", rate), .want = "at least 0"});
  }
  trainer.set_learning_rate(rate);
}

Index Model::iterations() const {
  return impl_->trainer == nullptr ? 0 : impl_->trainer->iterations();
}

Record Model::training_state() const {
  const Trainer& trainer = impl_->ready(true);
  Record record;
  const auto& parameters = trainer.graph().parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    record.set(numbered("weights", i), parameters[i]->value().clone());
  }
  for (std::size_t i = 0; i < trainer.slots().size(); ++i) {
    record.set(numbered("optimizer", i), trainer.slots()[i].clone());
  }
  record.set("iterations", static_cast<double>(trainer.iterations()));
  const LearningRate& rate = trainer.options().optimizer.learning_rate();
  if (rate.constant()) record.set("learning_rate", rate.at(0));
  const States& states = impl_->states(impl_->session);
  const auto& stateful = trainer.graph().stateful_layers();
  for (std::size_t layer = 0; layer < stateful.size(); ++layer) {
    const auto found = states.find(stateful[layer]);
    if (found == states.end()) continue;
    for (std::size_t i = 0; i < found->second.size(); ++i) {
      record.set(numbered("states", layer) + "/" + std::to_string(i), found->second[i].clone());
    }
  }
  return record;
}

void Model::set_training_state(const Record& record) {
  Trainer& trainer = impl_->ready(true);
  const auto& parameters = trainer.graph().parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    Tensor place = parameters[i]->value();
    copy_into(place, record.tensor(numbered("weights", i)), parameters[i]->name());
    parameters[i]->touch();
  }
  for (std::size_t i = 0; i < trainer.slots().size(); ++i) {
    Tensor place = trainer.slots()[i];  // shares the numbers
    copy_into(place, record.tensor(numbered("optimizer", i)), numbered("optimizer", i));
  }
  trainer.set_iterations(record.count("iterations"));
  if (record.has("learning_rate")) set_learning_rate(record.number("learning_rate"));
  States& states = impl_->states(impl_->session);
  states.clear();
  const auto& stateful = trainer.graph().stateful_layers();
  for (std::size_t layer = 0; layer < stateful.size(); ++layer) {
    std::vector<Tensor> carried;
    while (record.has(numbered("states", layer) + "/" + std::to_string(carried.size()))) {
      const std::string name = numbered("states", layer) + "/" + std::to_string(carried.size());
      carried.push_back(record.tensor(name).clone());
    }
    if (!carried.empty()) states[stateful[layer]] = std::move(carried);
  }
}

}  // namespace unroll
