#include "unroll/diagnose.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "unroll/error.h"
#include "unroll/unrolled.h"

namespace unroll {

namespace {

/// Some rows of each, evenly out of all.
Data some_of(const Data& all, Index most) {
  Data some;
  for (const Rows& rows : all) {
    const Index count = std::min(most, rows.count());
    std::vector<Index> numbers;
    for (Index i = 0; i < count; ++i) numbers.push_back(i * rows.count() / count);
    some.push_back(rows.gather(numbers));
  }
  return some;
}

GradientReach reach_of(const Model& model, const StepGradients& found) {
  GradientReach reach{.layer = found.layer,
                      .class_name = std::string(model.get_layer(found.layer).class_name()),
                      .steps = static_cast<Index>(found.norms.size()) - 1};
  const double last = found.norms.back();
  const bool finite = std::ranges::all_of(found.norms, [](double n) { return std::isfinite(n); });
  reach.left =
      finite && last > 0 ? found.norms.front() / last : std::numeric_limits<double>::quiet_NaN();
  while (reach.far < reach.steps) {
    const auto next = static_cast<std::size_t>(reach.steps - reach.far - 1);
    if (!(found.norms[next] >= last / 100)) break;
    ++reach.far;
  }
  return reach;
}

/// What helps a layer that loses its gradient.
std::string remedy(const GradientReach& reach) {
  if (reach.class_name == "GRU" || reach.class_name == "LSTM") {
    return "shorter windows, or larger first weights of its gates; if what is long past does not "
           "matter, nothing is lost";
  }
  return "GRU or LSTM instead, or recurrent_initializer \"orthogonal\"; if what is long past does "
         "not matter, nothing is lost";
}

}  // namespace

std::string GradientFinding::to_string() const {
  const std::string when =
      epoch < 0 ? "with the first weights" : fmt::format("after epoch {}", epoch + 1);
  const std::string where = fmt::format("{} \"{}\"", reach.class_name, reach.layer);
  if (explodes) {
    const std::string grown = std::isnan(reach.left)
                                  ? "it is no longer finite"
                                  : fmt::format("it is {:.0e} times as long", reach.left);
    return fmt::format(
        "the gradient explodes in {} ({}): {} steps back {}; global_clipnorm = 1 in the optimiser "
        "helps, or recurrent_initializer \"orthogonal\"",
        where, when, reach.steps, grown);
  }
  return fmt::format(
      "the gradient vanishes in {} ({}): {:.0e} of it is left {} steps back, less "
      "than 1 % after {}; what helps: {}",
      where, when, reach.left, reach.steps, reach.far + 1, remedy(reach));
}

GradientWatch::GradientWatch(Data x, Data y, GradientWatchOptions options)
    : options_(std::move(options)) {
  const auto positive = [](const char* what, double got) {
    if (got > 0) return;
    throw Error(ErrorKind::value, std::string("GradientWatch: ") + what + " is not positive",
                {.got = fmt::format("{}", got)});
  };
  positive("every", static_cast<double>(options_.every));
  positive("rows", static_cast<double>(options_.rows));
  positive("vanished", options_.vanished);
  positive("exploded", options_.exploded);
  x_ = some_of(x, options_.rows);
  y_ = some_of(y, options_.rows);
  if (x_.empty() || x_[0].empty()) throw Error(ErrorKind::value, "GradientWatch: no rows");
}

void GradientWatch::on_train_begin(Model& model) {
  findings_.clear();
  look(model, -1);
}

void GradientWatch::on_epoch_end(Model& model, Index epoch, const Logs&) {
  if ((epoch + 1) % options_.every == 0) look(model, epoch);
}

void GradientWatch::look(Model& model, Index epoch) {
  reach_.clear();
  for (const StepGradients& found : gradients_by_step(model, x_, y_)) {
    const double first = found.norms.front(), last = found.norms.back();
    const GradientReach reach = reach_of(model, found);
    reach_.push_back(reach);
    const bool finite = std::isfinite(first) && std::isfinite(last);
    if (!finite || reach.left > options_.exploded) find(reach, true, epoch);
    if (finite && reach.left < options_.vanished) find(reach, false, epoch);
  }
}

void GradientWatch::find(const GradientReach& reach, bool explodes, Index epoch) {
  const auto known = [&](const GradientFinding& one) {
    return one.reach.layer == reach.layer && one.explodes == explodes;
  };
  if (std::ranges::any_of(findings_, known)) return;
  findings_.push_back({reach, explodes, epoch});
  if (options_.warn) options_.warn(findings_.back());
}

}  // namespace unroll
