#include <algorithm>

#include "src/tasks/words.h"
#include "unroll/error.h"
#include "unroll/forecast.h"

namespace unroll {

namespace {

/// Rows that are walked ahead at once: bounds the copies of their windows.
constexpr Index most_at_once = 1 << 14;

/// Windows that grow by their own forecasts, one row each.
struct Walk {
  Tensor inputs;             ///< (rows, window + steps - 1), scaled
  std::vector<double> last;  ///< the last value of each row, in the units of the series
};

}  // namespace

Forecaster::Forecaster(Model model, Scaler input, Scaler output, std::string target, Index window)
    : model_(std::move(model)),
      input_(std::move(input)),
      output_(std::move(output)),
      target_(std::move(target)),
      window_(window) {
  if (target_ != "change" && target_ != "level") {
    throw Error(ErrorKind::value, "forecast: no such target",
                {.got = "\"" + target_ + "\"", .want = "change or level"});
  }
  const Symbols inputs = model_.inputs(), outputs = model_.outputs();
  const bool fits = inputs.size() == 1 && outputs.size() == 1 &&
                    inputs[0].shape() == Shape({unknown, window_, 1}) &&
                    outputs[0].shape() == Shape({unknown, 1});
  if (!fits || input_.columns() != 1 || output_.columns() != 1) {
    throw Error(ErrorKind::shape, "forecast: the model does not fit the task",
                {.got = inputs.empty() || outputs.empty() ? "no input or no output"
                                                          : inputs[0].shape().to_string() + " to " +
                                                                outputs[0].shape().to_string(),
                 .want = Shape({unknown, window_, 1}).to_string() + " to (None, 1), and a scaler "
                                                                    "of one column for each"});
  }
}

void Forecaster::check_rows(const Tensor& values, Index wanted) const {
  if (values.rank() == 2 && values.shape()[1] == 1 && values.shape()[0] >= wanted) return;
  throw Error(ErrorKind::shape, "forecast: too few rows for the window",
              {.got = values.rank() == 2 ? tasks::counted(values.shape()[0], "row")
                                         : values.shape().to_string(),
               .want = "at least " + tasks::counted(wanted, "row") + " of one column"});
}

Tensor Forecaster::scaled(const Tensor& values) const {
  return input_.transform(values).to(DType::float32);
}

double Forecaster::unscaled(double output, double last) const noexcept {
  const double value = output_.inverse_transform(output, 0);
  return target_ == "change" ? last + value : value;
}

Tensor Forecaster::predict(const Tensor& values, const Progress& progress) {
  check_rows(values, window_);
  const Index count = values.shape()[0] - window_ + 1;
  const Rows x(scaled(values), 0, 1, count, {window_, 1});
  const Tensor outputs = model_.predict(x, {.progress = progress});
  Tensor result({count}, DType::float64);
  const auto known = values.values<double>().subspan(static_cast<std::size_t>(window_ - 1));
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    result.values<double>()[i] = unscaled(outputs.floats()[i], known[i]);
  }
  return result;
}

std::vector<double> Forecaster::ahead(const Tensor& values, Index first, Index last,
                                      Index horizon) {
  check_rows(values, last);
  if (first - horizon - window_ + 1 < 0 || last < first || horizon < 1) {
    throw Error(ErrorKind::shape, "forecast: a window would begin before the first row",
                {.got = "row " + std::to_string(first) + ", " + std::to_string(horizon) +
                        " ahead of a window of " + std::to_string(window_)});
  }
  const Tensor inputs = scaled(values);
  const auto known = values.values<double>();
  const Index width = window_ + horizon - 1;
  std::vector<double> result;
  for (Index begin = first; begin < last; begin += most_at_once) {
    const Index count = std::min(most_at_once, last - begin);
    Walk walk{Tensor({count, width}), {}};
    for (Index i = 0; i < count; ++i) {
      const Index origin = begin + i - horizon;
      std::copy_n(inputs.floats() + origin - window_ + 1, window_,
                  walk.inputs.floats() + i * width);
      walk.last.push_back(known[static_cast<std::size_t>(origin)]);
    }
    for (Index step = 0; step < horizon; ++step) {
      const Tensor outputs = model_.predict(Rows(walk.inputs, step, width, count, {window_, 1}));
      for (Index i = 0; i < count; ++i) {
        double& value = walk.last[static_cast<std::size_t>(i)];
        value = unscaled(outputs.floats()[i], value);
        if (step + 1 == horizon) continue;
        walk.inputs.floats()[i * width + window_ + step] =
            static_cast<float>(input_.transform(value, 0));
      }
    }
    result.insert(result.end(), walk.last.begin(), walk.last.end());
  }
  return result;
}

std::vector<double> Forecaster::next(const Tensor& values, Index steps) {
  check_rows(values, window_);
  const Index rows = values.shape()[0];
  Tensor inputs({window_ + steps});
  std::copy_n(scaled(values).floats() + rows - window_, window_, inputs.floats());
  double value = values.values<double>()[static_cast<std::size_t>(rows - 1)];
  std::vector<double> result;
  for (Index step = 0; step < steps; ++step) {
    const Tensor output = model_.predict(Rows(inputs, step, window_, 1, {window_, 1}));
    value = unscaled(output.floats()[0], value);
    inputs.floats()[window_ + step] = static_cast<float>(input_.transform(value, 0));
    result.push_back(value);
  }
  return result;
}

}  // namespace unroll
