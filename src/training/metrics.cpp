// The choice among metrics, by name and by option struct.
#include "unroll/metrics.h"

#include <string>

#include "src/training/metric_functions.h"
#include "unroll/error.h"

namespace unroll {
namespace {

/// All names a user may give, in order.
std::string all_names() {
  std::string names;
  const auto add = [&]<class Option>(std::type_identity<Option>) {
    if constexpr (!std::is_same_v<Option, Loss> && !std::is_same_v<Option, Accuracy>) {
      names += std::string(Option::names[0]) + ", ";
    }
  };
  [&]<class... Options>(std::type_identity<std::variant<Options...>>) {
    (add(std::type_identity<Options>()), ...);
  }(std::type_identity<MetricOptions>());
  return names + "or a loss";
}

template <class Variant>
std::optional<Variant> find_class(std::string_view name) {
  std::optional<Variant> found;
  const auto look = [&]<class Option>(std::type_identity<Option>) {
    if constexpr (!std::is_same_v<Option, Loss>) {
      if (Option::class_name == name) found = Option{};
    }
  };
  [&]<class... Options>(std::type_identity<std::variant<Options...>>) {
    (look(std::type_identity<Options>()), ...);
  }(std::type_identity<Variant>());
  return found;
}

template <class T>
std::string quoted(const T& text) {
  return '"' + std::string(text) + '"';
}

}  // namespace

Metric parse_metric(std::string_view name) {
  const auto of_loss = [](const LossOptions& options) {
    return std::visit([](const auto& option) { return MetricOptions(Loss(option)); }, options);
  };
  using Found = std::pair<MetricOptions, std::string_view>;
  if (const auto metric = find_class<MetricOptions>(name)) return Metric(Found(*metric, {}));
  if (const auto loss = find_class<LossOptions>(name)) return Metric(Found(of_loss(*loss), {}));
  if (const auto metric = detail::find_option<MetricOptions>(name)) return Metric(*metric);
  if (const auto loss = detail::find_option<LossOptions>(name)) {
    return Metric(Found(of_loss(loss->first), loss->second));
  }
  throw Error(ErrorKind::value, "no metric has this name",
              {.got = quoted(name), .want = "one of " + all_names()});
}

namespace {

MetricOptions kind_of_accuracy(bool by_label, Index n) {
  if (n == 1) return BinaryAccuracy{};
  if (by_label) return SparseCategoricalAccuracy{};
  return CategoricalAccuracy{};
}

/// Whether the metric reads labels rather than n numbers a sample.
bool reads_labels(const MetricOptions& options) {
  return std::visit(
      []<class Option>(const Option& option) {
        if constexpr (std::is_same_v<Option, Loss>) {
          return takes_labels(option);
        } else {
          return std::is_same_v<Option, SparseCategoricalAccuracy> ||
                 std::is_same_v<Option, SparseTopKCategoricalAccuracy> ||
                 std::is_same_v<Option, Perplexity>;
        }
      },
      options);
}

}  // namespace

Metric resolve(const Metric& metric, const Loss& loss, Index n) {
  Metric resolved = metric;
  resolved.outputs_ = n;
  if (std::holds_alternative<AnyAccuracy>(metric.options())) {
    resolved.name_ = metric.name();
    resolved.options_ = kind_of_accuracy(takes_labels(loss), n);
    return resolved;
  }
  const bool labels = reads_labels(metric.options());
  if (n > 1 && labels != takes_labels(loss)) {
    throw Error(ErrorKind::value,
                "metric " + quoted(metric.name()) + " cannot read the targets of loss " +
                    quoted(loss.name()),
                {.got = labels ? std::to_string(n) + " numbers a sample" : "one label a sample",
                 .want = labels ? "one label a sample" : std::to_string(n) + " numbers a sample",
                 .hint = "\"accuracy\" takes the kind that fits the loss"});
  }
  return resolved;
}

Index metric_state_size(const Metric& metric) noexcept {
  return std::visit(
      [&](const auto& option) { return training::state_size(option, metric.outputs()); },
      metric.options());
}

template <class T>
void metric_update(const Metric& metric, Index samples, Index n, const T* y_true, const T* y_pred,
                   const T* sample_weight, std::span<double> state) {
  const training::Seen<T> seen{{samples, n, y_true, y_pred}, sample_weight};
  std::visit([&](const auto& option) { training::update(option, seen, state); }, metric.options());
}

template void metric_update(const Metric&, Index, Index, const float*, const float*, const float*,
                            std::span<double>);
template void metric_update(const Metric&, Index, Index, const double*, const double*,
                            const double*, std::span<double>);

void metric_add(std::span<double> into, std::span<const double> from) noexcept {
  for (std::size_t i = 0; i < into.size(); ++i) into[i] += from[i];
}

double metric_result(const Metric& metric, std::span<const double> state) {
  const double value = std::visit(
      [&](const auto& option) { return training::result(option, metric.outputs(), state); },
      metric.options());
  // As a loss minus the cosine falls; as a metric the cosine is meant.
  const auto* loss = std::get_if<Loss>(&metric.options());
  return loss && std::holds_alternative<CosineSimilarity>(loss->options()) ? -value : value;
}

// --- the choices ---

template <class K, std::size_t count>
Choice<K, count> Choice<K, count>::parse(std::string_view name) {
  std::string known;
  for (std::size_t i = 0; i < count; ++i) {
    if (names[i] == name) return static_cast<K>(i);
    known += (i == 0 ? "" : ", ") + std::string(names[i]);
  }
  throw Error(ErrorKind::value, "there is no such choice",
              {.got = quoted(name), .want = "one of " + known});
}
template Curve Choice<CurveKind, 2>::parse(std::string_view);
template Summation Choice<SummationKind, 3>::parse(std::string_view);
template Averaging Choice<AverageKind, 3>::parse(std::string_view);
template Aggregation Choice<AggregationKind, 2>::parse(std::string_view);

}  // namespace unroll
