// A metric and what it has seen, for whole tensors.
#include <string>

#include "src/training/tensors.h"
#include "unroll/error.h"
#include "unroll/metrics.h"

namespace unroll {
namespace {

/// The axis that a sample lies along; the metric is told that it is the last.
Index take_axis(Metric& metric) {
  const auto take = [](auto& option) {
    Index axis = -1;
    if constexpr (requires { option.axis; }) std::swap(axis, option.axis);
    return axis;
  };
  return std::visit(
      [&]<class Option>(Option& option) {
        if constexpr (std::is_same_v<Option, Loss>) {
          return std::visit(take, option.options());
        } else {
          return take(option);
        }
      },
      metric.options());
}

/// Whether each number counts by itself, so that each may have a weight.
bool by_number(const Metric& metric) {
  return std::visit(
      []<class Option>(const Option& o) {
        if constexpr (requires {
                        o.class_id;
                        o.top_k;
                      }) {
          return !o.class_id && !o.top_k;
        } else if constexpr (requires { o.class_id; }) {
          return !o.class_id;
        } else if constexpr (std::is_same_v<Option, AUC>) {
          return !o.multi_label;
        } else {
          return std::is_same_v<Option, Accuracy> || std::is_same_v<Option, BinaryAccuracy> ||
                 std::is_same_v<Option, Mean> || std::is_same_v<Option, Sum> || requires {
            o.thresholds;
          };
        }
      },
      metric.options());
}

[[noreturn]] void refuse(const Metric& metric, const std::string& what, const Shape& got,
                         const std::string& want) {
  throw Error(ErrorKind::shape, std::string(metric.name()) + ": " + what,
              {.got = got.to_string(), .want = want});
}

}  // namespace

MetricState::MetricState(const Metric& metric) : metric_(metric) { check(metric); }

template <class T>
void MetricState::add(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight) {
  Metric of_last = metric_;
  const Index axis = take_axis(of_last);
  Shape shape = y_pred.shape();
  if (shape.rank() <= 1) shape.push_back(1);
  const auto around = training::around_axis(metric_.name(), shape, axis);
  Shape samples = shape.without(static_cast<int>(axis));
  Index n = around.size;
  if (std::holds_alternative<AnyAccuracy>(metric_.options())) {
    const bool labels = n > 1 && y_true.elements() == samples.elements();
    metric_ = of_last =
        resolve(metric_, labels ? Loss("sparse_categorical_crossentropy") : "mse", n);
  }
  const bool labels = reads_labels(of_last);
  const auto* loss = std::get_if<Loss>(&of_last.options());
  const Index truths = loss != nullptr ? target_size(*loss, n) : (labels ? 1 : n);
  if (y_true.elements() != samples.elements() * truths) {
    refuse(metric_, "the truth does not fit the predictions", y_true.shape(),
           (truths == 1 ? samples : samples.with(samples.rank(), truths)).to_string() +
               " for predictions " + y_pred.shape().to_string());
  }
  auto y = training::numbers_of<T>(y_true), p = training::numbers_of<T>(y_pred);
  p = training::axis_to_end(p.data(), around);
  if (truths == n && n > 1) y = training::axis_to_end(y.data(), around);
  const bool each = n > 1 && sample_weight.shape() == shape && by_number(of_last);
  if (each) {  // every number is a sample
    samples = shape;
    n = 1;
  }
  std::vector<T> weights;
  if (!sample_weight.empty()) {
    weights = training::weights_for<T>(metric_.name(), samples, sample_weight);
  }
  of_last.outputs_ = n;
  const auto size = static_cast<std::size_t>(metric_state_size(of_last));
  if (state_.empty()) state_.resize(size);
  if (state_.size() != size || (!each && metric_.outputs_ > 1 && metric_.outputs_ != n)) {
    refuse(metric_, "the predictions have another size than before", y_pred.shape(),
           std::to_string(metric_.outputs_) + " numbers a sample");
  }
  metric_.outputs_ = n;
  metric_update(of_last, samples.elements(), n, y.data(), p.data(),
                weights.empty() ? nullptr : weights.data(), std::span<double>(state_));
}

void MetricState::update(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight) {
  if (y_pred.dtype() == DType::float64) {
    add<double>(y_true, y_pred, sample_weight);
  } else {
    add<float>(y_true, y_pred, sample_weight);
  }
}

double MetricState::result() const { return state_.empty() ? 0 : metric_result(metric_, state_); }

std::vector<double> MetricState::values() const {
  return state_.empty() ? std::vector<double>{0.0} : metric_values(metric_, state_);
}

void MetricState::reset() { state_.assign(state_.size(), 0.0); }

}  // namespace unroll
