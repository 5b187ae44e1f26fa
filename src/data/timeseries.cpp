// Keras's two ways to cut a series into windows.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "src/base/random.h"
#include "unroll/error.h"
#include "unroll/sequences.h"

namespace unroll {

namespace {

Error out_of_range(const std::string& who, const std::string& option, Index got,
                   const std::string& want) {
  return Error(ErrorKind::value, who + ": " + option + " is out of range",
               {.got = std::to_string(got), .want = want});
}

void check_positive(const char* who, const char* option, Index got) {
  if (got < 1) throw out_of_range(who, option, got, "at least 1");
}

Index rows_of(const char* who, const Tensor& tensor, const char* which) {
  if (tensor.rank() > 0) return tensor.shape()[0];
  throw Error(ErrorKind::shape, std::string(who) + ": the " + which + " have no rows",
              {.got = tensor.describe(), .want = "(rows, ...)"});
}

std::string to_the_last(Index last) { return "0 to " + std::to_string(last); }

}  // namespace

TimeseriesWindows::TimeseriesWindows(Plan plan, Index count, Index batch_size)
    : plan_(std::move(plan)), count_(count), batch_size_(batch_size) {}

Index TimeseriesWindows::size() const noexcept {
  return count_ / batch_size_ + (count_ % batch_size_ > 0 ? 1 : 0);
}

Windows TimeseriesWindows::operator[](Index batch) const {
  if (batch < 0 || batch >= size()) {
    throw Error(ErrorKind::value, "no such batch of windows",
                {.got = std::to_string(batch),
                 .want = size() > 0 ? to_the_last(size() - 1) : "nothing: there are no windows"});
  }
  const Index first = batch * batch_size_, last = std::min(count_, first + batch_size_);
  if (draw_) {
    // As in Keras, a batch that is drawn has its full size.
    const base::Random random(*draw_, static_cast<std::uint64_t>(batch));
    std::vector<Index> drawn(static_cast<std::size_t>(batch_size_));
    for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] = random.below(count_, i);
    return gather(drawn);
  }
  if (!order_.empty()) return gather({order_.begin() + first, order_.begin() + last});
  return between(first, last);
}

Windows TimeseriesWindows::all() const {
  return order_.empty() ? between(0, count_) : gather(order_);
}

Windows TimeseriesWindows::between(Index first, Index last) const {
  if (plan_.sampling_rate != 1 || plan_.reverse) {
    std::vector<Index> numbers(static_cast<std::size_t>(last - first));
    std::iota(numbers.begin(), numbers.end(), first);
    return gather(numbers);
  }
  const Index count = last - first;
  const auto rows = [&](const Tensor& from, Index row, const Shape& shape) {
    const Index width = from.shape().without(0).elements();
    // Where there are none, a start may lie behind the numbers.
    if (count == 0) return Rows(from, 0, 0, 0, shape);
    return Rows(from, (row + first * plan_.stride) * width, plan_.stride * width, count, shape);
  };
  Shape window{plan_.steps};
  const Shape step = plan_.data.shape().without(0);
  for (const Index size : step) window.push_back(size);
  Windows result{.x = rows(plan_.data, plan_.first, window), .y = {}};
  if (plan_.targets) {
    result.y = rows(*plan_.targets, plan_.first_target, plan_.targets->shape().without(0));
  }
  return result;
}

Windows TimeseriesWindows::gather(const std::vector<Index>& windows) const {
  const Shape step = plan_.data.shape().without(0);
  Shape shape{static_cast<Index>(windows.size()), plan_.steps};
  for (const Index size : step) shape.push_back(size);
  const Index bytes = step.elements() * size_of(plan_.data.dtype());
  Tensor x(shape, plan_.data.dtype());
  const auto* from = static_cast<const std::byte*>(plan_.data.raw());
  auto* to = static_cast<std::byte*>(x.raw());
  for (const Index window : windows) {
    for (Index k = 0; k < plan_.steps; ++k, to += bytes) {
      const Index place = plan_.reverse ? plan_.steps - 1 - k : k;
      const Index row = plan_.first + window * plan_.stride + place * plan_.sampling_rate;
      if (bytes > 0) std::memcpy(to, from + row * bytes, static_cast<std::size_t>(bytes));
    }
  }
  Windows result{.x = x, .y = {}};
  if (!plan_.targets) return result;
  std::vector<Index> rows(windows.size());
  std::ranges::transform(windows, rows.begin(), [this](Index window) {
    return plan_.first_target + window * plan_.stride;
  });
  result.y = Rows(*plan_.targets).gather(rows);
  return result;
}

TimeseriesGenerator::TimeseriesGenerator(const Tensor& data, const Tensor& targets,
                                         const TimeseriesGeneratorOptions& options)
    : TimeseriesWindows({}, 0, 1) {
  constexpr const char* who = "TimeseriesGenerator";
  const Index rows = rows_of(who, data, "data");
  if (rows_of(who, targets, "targets") != rows) {
    throw Error(ErrorKind::shape, "TimeseriesGenerator: data and targets differ in rows",
                {.got = data.shape().to_string() + " and " + targets.shape().to_string()});
  }
  check_positive(who, "length", options.length);
  check_positive(who, "sampling_rate", options.sampling_rate);
  check_positive(who, "stride", options.stride);
  check_positive(who, "batch_size", options.batch_size);
  if (options.start_index < 0 || options.start_index >= rows) {
    throw out_of_range(who, "start_index", options.start_index, to_the_last(rows - 1));
  }
  const Index last = options.end_index.value_or(rows - 1);
  if (last < 0 || last >= rows) throw out_of_range(who, "end_index", last, to_the_last(rows - 1));
  // Subtracted, as a sum with a huge length would overflow.
  if (options.length > last - options.start_index) {
    throw Error(
        ErrorKind::value, "TimeseriesGenerator: no window fits",
        {.got = "rows " + std::to_string(options.start_index) + " to " + std::to_string(last),
         .want = "a window of " + std::to_string(options.length) + " rows and the row behind it"});
  }
  const Index first_target = options.start_index + options.length;
  batch_size_ = options.batch_size;
  count_ = (last - first_target) / options.stride + 1;
  plan_ = {.data = data,
           .targets = targets,
           .first = options.start_index,
           .first_target = first_target,
           .stride = std::min(options.stride, rows),
           .steps = (options.length - 1) / options.sampling_rate + 1,
           .sampling_rate = options.sampling_rate,
           .reverse = options.reverse};
  if (options.shuffle) draw_ = options.seed;
}

TimeseriesDataset::TimeseriesDataset(const Tensor& data, const std::optional<Tensor>& targets,
                                     const TimeseriesDatasetOptions& options)
    : TimeseriesWindows({}, 0, 1) {
  constexpr const char* who = "timeseries_dataset_from_array";
  const Index rows = rows_of(who, data, "data");
  check_positive(who, "sequence_length", options.sequence_length);
  check_positive(who, "sequence_stride", options.sequence_stride);
  check_positive(who, "sampling_rate", options.sampling_rate);
  if (options.batch_size) check_positive(who, "batch_size", *options.batch_size);
  const Index start = options.start_index.value_or(0), end = options.end_index.value_or(rows);
  if (start < 0 || start > rows) throw out_of_range(who, "start_index", start, to_the_last(rows));
  if (end < start || end > rows) {
    throw out_of_range(who, "end_index", end,
                       std::to_string(start) + " to " + std::to_string(rows));
  }
  // Windows may begin at rows 0 to starts - 1, counted from `start`.
  Index starts = end - start;
  const Index gaps = options.sequence_length - 1;
  starts =
      gaps > 0 && options.sampling_rate > starts / gaps ? 0 : starts - gaps * options.sampling_rate;
  if (targets) starts = std::min(starts, rows_of(who, *targets, "targets") - start);
  if (starts > 0) count_ = (starts - 1) / options.sequence_stride + 1;
  batch_size_ = options.batch_size.value_or(std::max(count_, Index{1}));
  plan_ = {.data = data,
           .targets = targets,
           .first = start,
           .first_target = start,
           .stride = std::min(options.sequence_stride, std::max(rows, Index{1})),
           .steps = options.sequence_length,
           .sampling_rate = options.sampling_rate};
  if (!options.shuffle) return;
  order_.resize(static_cast<std::size_t>(count_));
  std::iota(order_.begin(), order_.end(), Index{0});
  const base::Random random(options.seed);
  for (std::size_t i = order_.size(); i > 1; --i) {
    const Index other = random.below(static_cast<Index>(i), i);
    std::swap(order_[i - 1], order_[static_cast<std::size_t>(other)]);
  }
}

TimeseriesDataset timeseries_dataset_from_array(const Tensor& data,
                                                const std::optional<Tensor>& targets,
                                                const TimeseriesDatasetOptions& options) {
  return TimeseriesDataset(data, targets, options);
}

}  // namespace unroll
