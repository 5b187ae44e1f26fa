// A loss of whole tensors: brings their axes in order, then asks for values and gradients.
#include <cmath>
#include <string>

#include "src/training/tensors.h"
#include "unroll/error.h"
#include "unroll/losses.h"

namespace unroll {
namespace {

using training::AroundAxis;

/// The axis that a sample lies along; the loss is told that it is the last.
Index take_axis(Loss& loss) {
  return std::visit(
      [](auto& option) {
        Index axis = -1;
        if constexpr (requires { option.axis; }) std::swap(axis, option.axis);
        return axis;
      },
      loss.options());
}

[[noreturn]] void refuse(const Loss& loss, const std::string& what, const Shape& got,
                         const std::string& want) {
  throw Error(ErrorKind::shape, std::string(loss.name()) + ": " + what,
              {.got = got.to_string(), .want = want});
}

/// Whether a shape is another but for sizes of 1 at its end.
bool same_but_for_ones(Shape a, Shape b) {
  while (a.rank() > b.rank() && a[-1] == 1) a = a.without(-1);
  while (b.rank() > a.rank() && b[-1] == 1) b = b.without(-1);
  return a == b;
}

template <class T>
class Evaluation {
 public:
  Evaluation(const Loss& loss, const LossInputs& inputs) : loss_(loss), in_(inputs) {
    const Index axis = take_axis(loss_);
    const Shape& shape = in_.y_pred.shape();
    if (shape.rank() == 0) refuse(loss_, "the predictions have no axis", shape, "(batch, ..., n)");
    around_ = training::around_axis(loss_.name(), shape, axis);
    samples_shape_ = shape.without(static_cast<int>(axis));
    ctc_ = std::holds_alternative<CTC>(loss_.options());
    if (ctc_) {
      if (shape.rank() != 3) {
        refuse(loss_, "the predictions have the wrong rank", shape, "(batch, time, classes)");
      }
      samples_shape_ = {shape[0]};
    }
    samples_ = samples_shape_.elements();
    n_ = around_.size;
    pred_ = training::axis_to_end(in_.y_pred.values<T>().data(), around_);
    read_truth();
    read_mask();
    if (!in_.sample_weight.empty()) {
      weights_ = training::weights_for<T>(loss_.name(), samples_shape_, in_.sample_weight);
    }
  }

  LossResult run() {
    std::vector<T> scales(static_cast<std::size_t>(samples_)), values(scales.size());
    std::vector<T> gradient(pred_.size());
    const std::uint8_t* mask = mask_.empty() || ctc_ ? nullptr : mask_.data();
    const T* weights = weights_.empty() ? nullptr : weights_.data();
    sample_scales(loss_, count_samples(samples_, mask, weights), samples_, mask, weights,
                  scales.data());
    if (ctc_) {
      run_ctc(scales, values, gradient);
    } else {
      loss_values(loss_, samples_, n_, truth_.data(), pred_.data(), values.data());
      loss_gradient(loss_, samples_, n_, truth_.data(), pred_.data(), scales.data(),
                    gradient.data());
    }
    LossResult result;
    for (std::size_t s = 0; s < values.size(); ++s) {
      // What weighs nothing may be infinite.
      values[s] = scales[s] == 0 ? T{0} : values[s] * scales[s];
      result.value += static_cast<double>(values[s]);
    }
    result.values = Tensor::of<T>(samples_shape_, values);
    result.gradient =
        Tensor::of<T>(in_.y_pred.shape(), training::axis_from_end(gradient.data(), around_));
    return result;
  }

 private:
  void read_truth() {
    const Shape& shape = in_.y_true.shape();
    Shape want = in_.y_pred.shape();
    const bool by_label = takes_labels(loss_);
    if (ctc_) {
      if (shape.rank() != 2 || shape[0] != want[0]) {
        refuse(loss_, "the labels do not fit the predictions", shape,
               "(" + std::to_string(want[0]) + ", labels)");
      }
      want = shape;
    } else if (by_label) {
      want = samples_shape_;
    } else if (predicts_distributions(loss_)) {
      want = samples_shape_.with(samples_shape_.rank(), n_ / 2);
    }
    if (!ctc_ && !same_but_for_ones(shape, want)) {
      refuse(loss_, "the truth does not fit the predictions", shape,
             want.to_string() + " for predictions " + in_.y_pred.shape().to_string());
    }
    truth_ = training::numbers_of<T>(in_.y_true);
    const bool as_predictions = !ctc_ && !by_label && !predicts_distributions(loss_);
    if (as_predictions) truth_ = training::axis_to_end(truth_.data(), around_);
  }

  void read_mask() {
    if (!in_.mask.empty()) {
      const Index wanted = ctc_ ? in_.y_pred.shape().product(0, 2) : samples_;
      if (in_.mask.elements() != wanted) {
        refuse(loss_, "the mask does not fit the predictions", in_.mask.shape(),
               ctc_ ? in_.y_pred.shape().slice(0, 2).to_string() : samples_shape_.to_string());
      }
      mask_ = training::numbers_of<std::uint8_t>(in_.mask);
    }
    if (ctc_ || !loss_mask<T>(loss_, 0, nullptr, nullptr)) return;
    if (mask_.empty()) mask_.assign(static_cast<std::size_t>(samples_), 1);
    loss_mask(loss_, samples_, truth_.data(), mask_.data());
  }

  void run_ctc(const std::vector<T>& scales, std::vector<T>& values, std::vector<T>& gradient) {
    const Shape& shape = in_.y_pred.shape();
    const Index length = in_.y_true.shape()[1];
    std::vector<T> scratch(static_cast<std::size_t>(ctc_scratch_size(shape[1], n_, length)));
    const auto batch =
        CtcBatch<T>::row_by_row(shape[0], shape[1], n_, pred_.data(), length, truth_.data(),
                                mask_.empty() ? nullptr : mask_.data());
    ctc_values(batch, values.data(), scratch.data());
    ctc_gradient(batch, scales.data(), gradient.data(), scratch.data());
  }

  Loss loss_;
  const LossInputs& in_;
  AroundAxis around_;
  Shape samples_shape_;
  Index samples_ = 0, n_ = 0;
  bool ctc_ = false;
  std::vector<T> pred_, truth_, weights_;
  std::vector<std::uint8_t> mask_;
};

}  // namespace

LossResult evaluate_loss(const Loss& loss, const LossInputs& inputs) {
  check(loss);
  switch (inputs.y_pred.dtype()) {
    case DType::float32:
      return Evaluation<float>(loss, inputs).run();
    case DType::float64:
      return Evaluation<double>(loss, inputs).run();
    default:
      throw Error(ErrorKind::value, std::string(loss.name()) + ": predictions are real numbers",
                  {.got = inputs.y_pred.describe(), .want = "float32 or float64"});
  }
}

double naive_scale(std::span<const double> series, Index season) {
  const auto rows = static_cast<Index>(series.size());
  if (season < 1 || season >= rows) {
    throw Error(ErrorKind::value, "naive_scale: the season does not fit the series",
                {.got = std::to_string(season) + " for " + std::to_string(rows) + " values",
                 .want = "at least 1, and less than there are values"});
  }
  double total = 0;
  for (Index t = season; t < rows; ++t) {
    total += std::abs(series[static_cast<std::size_t>(t)] -
                      series[static_cast<std::size_t>(t - season)]);
  }
  if (!(total > 0)) {
    throw Error(ErrorKind::value, "naive_scale: the naive forecast makes no error to measure by",
                {.hint = "the series is constant, or repeats itself each season"});
  }
  return total / static_cast<double>(rows - season);
}

}  // namespace unroll
