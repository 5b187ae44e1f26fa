// The choice among metrics, by name and by option struct.
#include "unroll/metrics.h"

#include <string>

#include "src/training/metric_functions.h"
#include "src/training/numbers.h"
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
  if (name == "LogCoshError") return Metric(Found(MetricOptions(Loss(LogCosh{})), "logcosh"));
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

}  // namespace

bool reads_labels(const Metric& metric) noexcept {
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
      metric.options());
}

namespace {

bool same_loss(const Metric& metric, const Loss& loss) {
  const auto* of = std::get_if<Loss>(&metric.options());
  return of != nullptr && of->options().index() == loss.options().index();
}

[[noreturn]] void refuse_targets(const Metric& metric, const Loss& loss, std::string got,
                                 std::string want, std::string hint = {}) {
  throw Error(
      ErrorKind::value,
      "metric " + quoted(metric.name()) + " cannot read the targets of loss " + quoted(loss.name()),
      {.got = std::move(got), .want = std::move(want), .hint = std::move(hint)});
}

}  // namespace

Metric resolve(const Metric& metric, const Loss& loss, Index n) {
  check(metric);
  Metric resolved = metric;
  resolved.outputs_ = n;
  if (std::holds_alternative<CTC>(loss.options())) {
    refuse_targets(metric, loss, "sequences of labels", "one label, or numbers, a sample",
                   "edit_distance() in unroll/ctc.h compares what was decoded");
  }
  const bool distributions = predicts_distributions(loss);
  if (distributions && !same_loss(metric, loss)) resolved.outputs_ = n /= 2;
  const auto* of = std::get_if<Loss>(&metric.options());
  if (of != nullptr && predicts_distributions(*of) && !same_loss(metric, loss)) {
    refuse_targets(metric, loss, "one number a target", "a location and a spread a target");
  }
  if (std::holds_alternative<AnyAccuracy>(metric.options())) {
    resolved.name_ = metric.name_.empty() ? "accuracy" : metric.name_;
    resolved.options_ = kind_of_accuracy(takes_labels(loss), n);
    return resolved;
  }
  const bool labels = reads_labels(metric);
  if (n > 1 && labels != takes_labels(loss)) {
    refuse_targets(metric, loss,
                   labels ? std::to_string(n) + " numbers a sample" : "one label a sample",
                   labels ? "one label a sample" : std::to_string(n) + " numbers a sample",
                   "\"accuracy\" takes the kind that fits the loss");
  }
  return resolved;
}

Index metric_state_size(const Metric& metric) noexcept {
  return std::visit(
      [&](const auto& option) { return training::state_size(option, metric.outputs()); },
      metric.options());
}

namespace {

template <class Option>
void check_axis(const Option& option) {
  if constexpr (requires { option.axis; }) {
    if (option.axis == -1) return;
    throw Error(ErrorKind::unsupported,
                std::string(Option::class_name) + ": a model's metric is over the last axis",
                {.got = "axis " + std::to_string(option.axis), .want = "-1"});
  }
}

}  // namespace

template <class T>
void metric_update(const Metric& metric, Index samples, Index n, const T* y_true, const T* y_pred,
                   const T* sample_weight, std::span<double> state) {
  std::visit(
      [&](const auto& option) {
        check_axis(option);
        const Index seen = metric.outputs();
        if (seen == n) {
          training::update(option, training::Seen<T>{{samples, n, y_true, y_pred}, sample_weight},
                           state);
          return;
        }
        // The first numbers of each sample: the locations of distributions.
        for (Index s = 0; s < samples; ++s) {
          const T* weight = sample_weight == nullptr ? nullptr : sample_weight + s;
          training::update(option,
                           training::Seen<T>{{1, seen, y_true + s * seen, y_pred + s * n}, weight},
                           state);
        }
      },
      metric.options());
}

template void metric_update(const Metric&, Index, Index, const float*, const float*, const float*,
                            std::span<double>);
template void metric_update(const Metric&, Index, Index, const double*, const double*,
                            const double*, std::span<double>);

void metric_add(std::span<double> into, std::span<const double> from) noexcept {
  for (std::size_t i = 0; i < into.size(); ++i) into[i] += from[i];
}

namespace {

void collect(const Metric& metric, std::span<const double> state, training::Values& out) {
  std::visit([&](const auto& option) { training::result(option, metric.outputs(), state, out); },
             metric.options());
}

}  // namespace

double metric_result(const Metric& metric, std::span<const double> state) {
  training::Values values;
  collect(metric, state, values);
  return training::quotient(values.sum, static_cast<double>(values.count));
}

std::vector<double> metric_values(const Metric& metric, std::span<const double> state) {
  std::vector<double> all;
  training::Values values{.all = &all};
  collect(metric, state, values);
  return all;
}

// --- options outside their range ---

void Metric::refuse_name(std::string_view name) {
  throw Error(ErrorKind::value, "a metric's name is too short or too long",
              {.got = quoted(name), .want = "1 to 47 bytes"});
}

namespace {

[[noreturn]] void refuse_option(std::string_view metric, const char* option, double got,
                                const char* want) {
  throw Error(ErrorKind::value, std::string(metric) + ": " + option + " is out of range",
              {.got = training::short_number(got), .want = want});
}

void require(std::string_view metric, const char* option, bool inside, double got,
             const char* want) {
  if (!inside) refuse_option(metric, option, got, want);
}

template <class Option>
void check_options(const Option& o) {
  const std::string_view name = o.class_name;
  const auto real = [](Index number) { return static_cast<double>(number); };
  const auto share = [&](const char* option, double value) {
    require(name, option, value >= 0 && value <= 1, value, "0 to 1");
  };
  if constexpr (requires { o.k; }) require(name, "k", o.k >= 1, real(o.k), "at least 1");
  if constexpr (requires { o.top_k; }) {
    const Index k = o.top_k.value_or(1);
    require(name, "top_k", k >= 1, real(k), "at least 1");
  }
  if constexpr (requires { o.class_id; }) {
    const Index id = o.class_id.value_or(0);
    require(name, "class_id", id >= 0, real(id), "at least 0");
  }
  if constexpr (requires { o.thresholds; }) {
    for (const double threshold : o.thresholds) share("thresholds", threshold);
  }
  if constexpr (requires { o.num_thresholds; }) {
    const Index least = std::is_same_v<Option, AUC> ? 2 : 1;
    require(name, "num_thresholds", o.num_thresholds >= least, real(o.num_thresholds),
            least == 2 ? "at least 2" : "at least 1");
  }
  if constexpr (requires { o.specificity; }) share("specificity", o.specificity);
  if constexpr (requires { o.sensitivity; }) share("sensitivity", o.sensitivity);
  if constexpr (requires { o.recall; }) share("recall", o.recall);
  if constexpr (requires { o.precision; }) share("precision", o.precision);
  if constexpr (requires { o.beta; }) {
    require(name, "beta", o.beta > 0, o.beta, "above 0");
  }
  if constexpr (requires { o.num_regressors; }) {
    require(name, "num_regressors", o.num_regressors >= 0, real(o.num_regressors), "at least 0");
  }
  if constexpr (requires { o.label_weights; }) {
    if (!o.label_weights.empty() && !o.multi_label) {
      throw Error(ErrorKind::value, "AUC: label_weights are of several labels",
                  {.want = "multi_label = true"});
    }
  }
}

}  // namespace

void check(const Metric& metric) {
  std::visit(
      [&]<class Option>(const Option& option) {
        if constexpr (std::is_same_v<Option, Loss>) {
          check(option);
        } else {
          check_options(option);
        }
      },
      metric.options());
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
template Averaging Choice<AverageKind, 4>::parse(std::string_view);
template Aggregation Choice<AggregationKind, 3>::parse(std::string_view);

}  // namespace unroll
