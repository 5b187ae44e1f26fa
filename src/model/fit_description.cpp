// What a fit works on, in words: a backup is only gone on with by a fit that has the same.
#include <cxxabi.h>
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <typeinfo>

#include "src/model/fit_run.h"
#include "src/model/nested.h"

namespace unroll {

namespace {

/// The options of a layer, loss, metric or optimiser: "units 50, activation relu".
class Words final : public Describer {
 public:
  std::string text;

  void field(std::string_view name, bool& value) override { add(name, value ? "yes" : "no"); }
  void field(std::string_view name, Index& value) override { add(name, std::to_string(value)); }
  void field(std::string_view name, double& value) override { add(name, fmt::format("{}", value)); }
  void field(std::string_view name, std::string& value) override { add(name, value); }
  void field(std::string_view name, Activation& value) override {
    add(name, std::string(value.name()));
  }
  void field(std::string_view name, Initializer& value) override {
    add(name, fmt::format("{} {} {} {}", value.name(), value.a(), value.b(), value.seed()));
  }
  void field(std::string_view name, Regularizer& value) override {
    add(name, fmt::format("{} {}", value.l1, value.l2));
  }
  void field(std::string_view name, Constraint& value) override {
    std::string axes;
    for (const Index axis : value.axis) axes += " " + std::to_string(axis);
    add(name, fmt::format("{} {} {} {}{}", to_string(value.kind), value.min_value, value.max_value,
                          value.rate, axes));
  }
  void field(std::string_view name, Shape& value) override { add(name, value.to_string()); }
  void field(std::string_view name, Picks& value) override {
    std::string picks;
    for (const Pick& pick : value) {
      picks += pick.whole() ? " all" : fmt::format(" {}:{}", pick.first(), pick.last());
    }
    add(name, picks);
  }
  void field(std::string_view name, std::shared_ptr<Component>& value) override {
    add(name, value == nullptr ? "none" : of(*value));
  }
  void field(std::string_view name, std::vector<std::shared_ptr<Component>>& value) override {
    std::string list;
    for (const auto& component : value) list += " " + of(*component);
    add(name, list);
  }

  // What losses, metrics and optimisers have besides.
  template <class T>
  void field(std::string_view name, std::optional<T>& value) {
    if (value) {
      field(name, *value);
    } else {
      add(name, "none");
    }
  }
  void field(std::string_view name, const LearningRate& value) {
    std::visit([&]<class S>(S schedule) { add(name, of_option(schedule)); }, value.schedule());
  }
  void field(std::string_view name, Loss& value) { add(name, of_options(value.options())); }
  template <class T, std::size_t most>
  void field(std::string_view name, ShortList<T, most>& value) {
    std::string list;
    for (const T& entry : value) list += fmt::format(" {}", entry);
    add(name, list);
  }
  template <class Named>
  requires requires(const Named& named) { named.name(); }
  void field(std::string_view name, Named& value) { add(name, std::string(value.name())); }

  static std::string of(Component& component) {
    Words words;
    component.describe(words);
    return fmt::format("{}({})", component.class_name(), words.text);
  }
  template <class Option>
  static std::string of_option(Option option) {
    if constexpr (std::is_same_v<Option, double>) {
      return fmt::format("{}", option);
    } else if constexpr (std::is_same_v<Option, Loss>) {
      return of_options(option.options());
    } else {
      Words words;
      if constexpr (requires { option.describe(words); }) option.describe(words);
      return fmt::format("{}({})", Option::class_name, words.text);
    }
  }
  template <class Options>
  static std::string of_options(const Options& options) {
    return std::visit([](auto option) { return of_option(option); }, options);
  }

 private:
  void add(std::string_view name, const std::string& value) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
  }
};

void describe_graph(const Graph& graph, const std::string& prefix, Description& into) {
  for (const GraphStep& step : graph.steps()) {
    std::string text = Words::of(*step.layer) + " <-";
    for (const std::size_t slot : step.inputs) text += " " + std::to_string(slot);
    for (const std::size_t slot : step.masks) text += " mask " + std::to_string(slot);
    for (const Parameter* parameter : step.layer->parameters()) {
      text += "; " + parameter->shape().to_string() + (parameter->trainable ? "" : " frozen");
    }
    const std::string name = prefix + step.layer->name;
    into.emplace_back(fmt::format("layer \"{}\" at {}", name, step.first_output), text);
    if (const auto* nested = dynamic_cast<const NestedModel*>(step.layer)) {
      describe_graph(nested->graph(), name + "/", into);
    }
  }
}

/// FNV-1a over some rows, evenly spaced: tells other data of the same size apart, most of the time.
std::string fingerprint(const Rows& rows) {
  constexpr Index most = 64;
  std::uint64_t hash = 0xCBF29CE484222325;
  const Index step = std::max<Index>(1, rows.count() / most);
  const auto bytes = static_cast<std::size_t>(rows.row_elements() * size_of(rows.dtype()));
  for (Index row = 0; row < rows.count(); row += step) {
    const auto* data = static_cast<const unsigned char*>(rows.row(row));
    for (std::size_t i = 0; i < bytes; ++i) hash = (hash ^ data[i]) * 0x100000001B3;
  }
  return fmt::format("{:016x}", hash);
}

void describe_data(const std::string& name, const Data& data, Description& into) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    into.emplace_back(fmt::format("{} {}", name, i),
                      fmt::format("{} {}, numbers {}", to_string(data[i].dtype()),
                                  data[i].shape().to_string(), fingerprint(data[i])));
  }
}

std::string class_of(const Callback& callback) {
  int status = 0;
  const char* raw = typeid(callback).name();
  char* readable = abi::__cxa_demangle(raw, nullptr, nullptr, &status);
  const std::string name = status == 0 ? readable : raw;
  std::free(readable);
  return name;
}

std::string or_none(const std::optional<Index>& value) {
  return value ? std::to_string(*value) : "none";
}

}  // namespace

Description describe_fit(const ModelImpl& model, const Trainer& trainer, const Parts& parts,
                         const FitOptions& options) {
  Description all;
  describe_graph(trainer.graph(), "", all);
  const CompileOptions& compiled = *model.compiled;
  all.emplace_back("the precision", to_string(model.dtype));
  all.emplace_back("the optimizer", Words::of_options(compiled.optimizer.options()));
  all.emplace_back("the loss", Words::of_options(compiled.loss.options()));
  std::string metrics;
  for (const Metric& metric : compiled.metrics) {
    metrics += Words::of_options(metric.options()) + " ";
  }
  for (const Metric& metric : compiled.weighted_metrics) {
    metrics += "weighted " + Words::of_options(metric.options()) + " ";
  }
  for (const auto& list : compiled.metrics_of_outputs) {
    metrics += "of an output: ";
    for (const Metric& metric : list) metrics += Words::of_options(metric.options()) + " ";
  }
  all.emplace_back("metrics", metrics);
  std::string losses;
  for (const Loss& loss : compiled.losses) losses += Words::of_options(loss.options()) + " ";
  all.emplace_back("the losses of the outputs", losses);
  all.emplace_back("loss_weights", fmt::format("{}", fmt::join(compiled.loss_weights, " ")));
  all.emplace_back("seed", std::to_string(compiled.seed));
  describe_data("x", parts.x, all);
  describe_data("y", parts.y, all);
  if (!parts.weight.empty()) describe_data("sample_weight", Data(parts.weight), all);
  if (parts.validation) {
    describe_data("validation x", parts.validation->x, all);
    describe_data("validation y", parts.validation->y, all);
    all.emplace_back("validation_steps", or_none(options.validation_steps));
    all.emplace_back("validation_freq", options.validation_freq.to_string());
    all.emplace_back("validation_batch_size", or_none(options.validation_batch_size));
  }
  all.emplace_back("batch_size", std::to_string(options.batch_size));
  all.emplace_back("shuffle", options.shuffle ? "yes" : "no");
  all.emplace_back("initial_epoch", std::to_string(options.initial_epoch));
  all.emplace_back("steps_per_epoch", or_none(options.steps_per_epoch));
  all.emplace_back("tbptt", or_none(options.tbptt));
  std::string weights;
  for (const auto& [label, weight] : options.class_weight) {
    weights += fmt::format("{}{}: {}", weights.empty() ? "" : ", ", label, weight);
  }
  all.emplace_back("class_weight", weights.empty() ? "none" : weights);
  std::string callbacks;
  for (const auto& callback : options.callbacks) {
    callbacks += (callbacks.empty() ? "" : ", ") + class_of(*callback);
  }
  all.emplace_back("callbacks", callbacks.empty() ? "none" : callbacks);
  return all;
}

}  // namespace unroll
