#include "src/model/fit_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "src/autograd/dispatch.h"
#include "src/base/random.h"
#include "unroll/error.h"

namespace unroll {

namespace {

/// Streams of random numbers beside those of weights and layers.
constexpr std::uint64_t shuffle_stream = std::uint64_t{1} << 62;

/// The same permutation for the same seed and pass, on every machine.
void shuffle(std::vector<Index>& order, std::uint64_t seed, Index pass) {
  const base::Random random(seed, shuffle_stream + static_cast<std::uint64_t>(pass));
  std::iota(order.begin(), order.end(), Index{0});
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1],
              order[static_cast<std::size_t>(random.below(static_cast<Index>(i), i))]);
  }
}

Data slice(const Data& data, Index first, Index last) {
  Data part;
  for (const Rows& rows : data) part.push_back(rows.slice(first, last));
  return part;
}

void check_weight_rows(const char* what, const Rows& weight, Index rows) {
  if (weight.empty() || weight.count() == rows) return;
  throw Error(ErrorKind::shape, std::string(what) + " has another number of rows",
              {.got = std::to_string(weight.count()), .want = std::to_string(rows)});
}

void check_class_weight(const std::map<Index, double>& class_weight) {
  for (const auto& [label, weight] : class_weight) {
    if (weight >= 0 && std::isfinite(weight)) continue;
    throw Error(ErrorKind::value,
                "class_weight of class " + std::to_string(label) + " is out of range",
                {.got = fmt::format("{}", weight), .want = "a number, 0 or more"});
  }
}

}  // namespace

Index batches(Index rows, Index batch_size) { return (rows + batch_size - 1) / batch_size; }

RowNumbers batch_of(const std::vector<Index>& order, Index batch, Index batch_size) {
  const auto first = static_cast<std::size_t>(batch * batch_size);
  const auto count = std::min(static_cast<std::size_t>(batch_size), order.size() - first);
  return RowNumbers(order).subspan(first, count);
}

std::vector<Index> in_order(Index rows) {
  std::vector<Index> order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), Index{0});
  return order;
}

Index rows_in(const Data& x) {
  if (x.empty() || x[0].count() == 0) {
    throw Error(
        ErrorKind::value, "no rows",
        {.got = x.empty() ? "no inputs" : x[0].shape().to_string(), .want = "at least one row"});
  }
  return x[0].count();
}

void check_positive(const char* what, Index value) {
  if (value >= 1) return;
  throw Error(ErrorKind::value, std::string(what) + " is not positive",
              {.got = std::to_string(value), .want = "1 or more"});
}

void check_positive(const char* what, const std::optional<Index>& value) {
  if (value) check_positive(what, *value);
}

void check_arguments(const FitOptions& options) {
  check_positive("batch_size", options.batch_size);
  check_positive("epochs", options.epochs);
  if (options.initial_epoch < 0 || options.initial_epoch > options.epochs) {
    throw Error(ErrorKind::value, "initial_epoch is out of range",
                {.got = std::to_string(options.initial_epoch),
                 .want = "0 to epochs, " + std::to_string(options.epochs),
                 .hint = "epochs is the number of the last epoch, not how many are added"});
  }
  check_positive("steps_per_epoch", options.steps_per_epoch);
  check_positive("tbptt", options.tbptt);
  check_positive("validation_steps", options.validation_steps);
  check_positive("validation_batch_size", options.validation_batch_size);
  options.validation_freq.check();
  check_class_weight(options.class_weight);
  for (const auto& callback : options.callbacks) {
    if (callback == nullptr) throw Error(ErrorKind::value, "a callback is null");
  }
}

Parts parts_of(const Data& x, const Data& y, const FitOptions& options) {
  Parts parts{x, y, options.sample_weight, options.validation_data};
  const Index rows = rows_in(x);
  check_weight_rows("sample_weight", parts.weight, rows);
  if (parts.validation) {
    check_weight_rows("validation_data's sample_weight", parts.validation->sample_weight,
                      rows_in(parts.validation->x));
  }
  const double share = options.validation_split;
  if (share == 0 || parts.validation) return parts;
  const auto cut = static_cast<Index>(static_cast<double>(rows) * (1 - share));
  if (!(share > 0 && share < 1) || cut == 0 || cut == rows) {
    throw Error(ErrorKind::value, "validation_split leaves nothing on one side",
                {.got = std::to_string(share) + " of " + std::to_string(rows) + " rows",
                 .want = "a share between 0 and 1"});
  }
  // Targets may be fewer than the inputs; the refusal that says so comes later, for both parts.
  const bool alike = std::ranges::all_of(y, [&](const Rows& part) { return part.count() == rows; });
  if (!alike) return parts;
  parts.validation = Validation{slice(x, cut, rows), slice(y, cut, rows), {}};
  if (!parts.weight.empty()) {
    parts.validation->sample_weight = parts.weight.slice(cut, rows);
    parts.weight = parts.weight.slice(0, cut);
  }
  parts.x = slice(x, 0, cut);
  parts.y = slice(y, 0, cut);
  return parts;
}

// --- ValidationFreq ---

void ValidationFreq::check() const {
  if (every_ == 0 && !epochs_.empty()) {
    for (const Index epoch : epochs_) check_positive("an epoch of validation_freq", epoch);
  } else {
    check_positive("validation_freq", every_);
  }
}

bool ValidationFreq::has(Index epoch) const {
  if (every_ > 0) return (epoch + 1) % every_ == 0;
  return std::ranges::find(epochs_, epoch + 1) != epochs_.end();
}

std::string ValidationFreq::to_string() const {
  std::string text = every_ > 0 ? "every " + std::to_string(every_) : "after";
  for (const Index epoch : epochs_) text += " " + std::to_string(epoch);
  return text;
}

// --- Passes ---

Passes::Passes(Index rows, Index batch_size, bool shuffled, std::uint64_t seed)
    : order_(in_order(rows)),
      batch_size_(batch_size),
      batches_(unroll::batches(rows, batch_size)),
      shuffled_(shuffled),
      seed_(seed) {}

void Passes::begin(Index pass, Index taken) {
  pass_ = pass;
  taken_ = taken;
  if (shuffled_) shuffle(order_, seed_, pass);
}

// --- class weights ---

namespace {

/// A number of a row, whatever its type.
double number_at(const Rows& rows, Index row, Index i) {
  switch (rows.dtype()) {
    case DType::float32:
      return static_cast<double>(static_cast<const float*>(rows.row(row))[i]);
    case DType::float64:
      return static_cast<const double*>(rows.row(row))[i];
    case DType::int32:
      return static_cast<double>(static_cast<const std::int32_t*>(rows.row(row))[i]);
    case DType::uint8:
      return static_cast<double>(static_cast<const std::uint8_t*>(rows.row(row))[i]);
  }
  return 0;
}

/// The class that `size` numbers of a target name: one label, or the largest of several.
double label_of(const Rows& y, Index row, Index first, Index size) {
  if (size == 1) return number_at(y, row, first);
  Index best = 0;
  for (Index i = 1; i < size; ++i) {
    if (number_at(y, row, first + i) > number_at(y, row, first + best)) best = i;
  }
  return static_cast<double>(best);
}

double weight_of(const std::map<Index, double>& class_weight, double label, Index row) {
  if (!(std::abs(label) < 0x1p53)) {
    throw Error(ErrorKind::value, "class_weight: a target names no class",
                {.got = fmt::format("{} in row {}", label, row), .want = "a label"});
  }
  const auto found = class_weight.find(static_cast<Index>(std::nearbyint(label)));
  return found == class_weight.end() ? 1 : found->second;
}

}  // namespace

Rows weights_by_class(const Trainer& trainer, DType dtype, const Data& y, const Rows& weight,
                      const std::map<Index, double>& class_weight) {
  const Symbols& outputs = trainer.graph().output_symbols();
  if (outputs.size() != 1) {
    throw Error(ErrorKind::unsupported, "class_weight is for models with one output",
                {.got = std::to_string(outputs.size()) + " outputs",
                 .hint = "sample_weight weighs every sample"});
  }
  const Rows& targets = y[0];
  const Index size =
      std::max<Index>(target_size(trainer.goals()[0].loss, outputs[0].shape()[-1]), 1);
  const Index rows = targets.count(), per_row = std::max<Index>(targets.row_elements() / size, 1);
  const bool each = !weight.empty() && weight.row_elements() == per_row;
  Tensor result(per_row == 1 ? Shape{rows} : Shape{rows, per_row}, dtype);
  with_float(dtype, [&]<class T>() {
    T* place = result.values<T>().data();
    for (Index row = 0; row < rows; ++row) {
      for (Index s = 0; s < per_row; ++s) {
        const double by_class =
            weight_of(class_weight, label_of(targets, row, s * size, size), row);
        const double given = weight.empty() ? 1 : number_at(weight, row, each ? s : 0);
        *place++ = static_cast<T>(by_class) * static_cast<T>(given);
      }
    }
  });
  return Rows(result);
}

}  // namespace unroll
