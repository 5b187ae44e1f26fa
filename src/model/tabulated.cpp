#include "src/model/tabulated.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "src/autograd/dispatch.h"
#include "src/kernels/gemm.h"
#include "src/kernels/recurrent_table.h"
#include "src/kernels/rows.h"
#include "src/kernels/vector.h"
#include "src/layers/plain.h"

namespace unroll {

namespace {

/// The only step that reads a slot, which is no output of the model; null where there are others.
const GraphStep* only_reader(const Graph& graph, std::size_t slot) {
  const GraphStep* found = nullptr;
  if (std::ranges::find(graph.outputs(), slot) != graph.outputs().end()) return nullptr;
  for (const GraphStep& step : graph.steps()) {
    const auto times = std::ranges::count(step.inputs, slot);
    if (std::ranges::find(step.masks, slot) != step.masks.end()) return nullptr;
    if (times == 0) continue;
    if (found != nullptr || times > 1 || step.inputs[0] != slot) return nullptr;
    found = &step;
  }
  return found;
}

bool used_once(const Graph& graph, const LayerImpl* layer) {
  return std::ranges::count(graph.all_layers(), layer) == 1 &&
         std::ranges::count(graph.steps(), layer, &GraphStep::layer) == 1;
}

/// Steps that each id has in a lane on average, from which on lanes add up by id.
constexpr Index often = 8;
/// Numbers that stay in a cache while a batch runs: 2 MB of float32.
constexpr Index most_in_cache = 1 << 19;

/// Room for `count` numbers, no smaller than it was.
template <class T>
T* room(Tensor& tensor, Index count) {
  if (tensor.elements() < count || tensor.dtype() != dtype_of<T>) {
    tensor = Tensor({count}, dtype_of<T>);
  }
  return static_cast<T*>(tensor.raw());
}

}  // namespace

std::vector<Tabulated> Tabulated::of(const Graph& graph) {
  std::vector<Tabulated> all;
  for (std::size_t i = 0; i < graph.inputs().size(); ++i) {
    const GraphInput& input = graph.inputs()[i];
    if (!input.ids || input.shape.rank() != 2) continue;
    const GraphStep* embedding = only_reader(graph, input.slot);
    if (embedding == nullptr || embedding->layer->class_name() != "Embedding") continue;
    const GraphStep* reader = only_reader(graph, embedding->first_output);
    if (reader == nullptr || !reader->masks.empty()) continue;
    if (dynamic_cast<TableReader*>(reader->layer) == nullptr) continue;
    const bool alone = used_once(graph, embedding->layer) && used_once(graph, reader->layer);
    if (alone && !embedding->layer->activity_regularizer) {
      all.push_back(Tabulated(*embedding, *reader, i));
    }
  }
  return all;
}

Tabulated::Tabulated(const GraphStep& embedding, const GraphStep& reader, std::size_t input)
    : embedding_(&embedding),
      reader_(&reader),
      input_(input),
      layer_(dynamic_cast<TableReader*>(reader.layer)),
      table_(embedding.layer->parameters()[0]) {}

bool Tabulated::trained(const FlatWeights& weights) const {
  return weights.offset(table_->position) >= 0 && weights.offset(kernel_.kernel->position) >= 0;
}

bool Tabulated::begin(const Rows& ids, std::span<const Index> numbers, Index lane_rows,
                      Index slice_rows, const FlatWeights& weights, base::Workers& workers) {
  const Index vocabulary = table_->shape()[0];
  const Index steps = static_cast<Index>(numbers.size()) * ids.row_elements();
  const std::optional<TableKernel> kernel = layer_->table_kernel();
  if (!kernel || steps < vocabulary || ids.dtype() != DType::int32) return false;
  kernel_ = *kernel;
  if (!trained(weights)) return false;
  dtype_ = weights.dtype();
  time_ = ids.row_elements();
  lane_rows_ = lane_rows;
  with_float(dtype_, [&]<class T>() {
    width_ = kernels::recurrent_table_width<T>(kernel_.shape);
    columns_ = kernels::recurrent_table_columns<T>(kernel_.shape);
  });
  // A row of products is longer than one of the table. It pays where ids come again and again, or
  // the gradients of all steps stay in the cache until they are added up.
  by_id_ = lane_rows * time_ >= often * vocabulary;
  if (!by_id_ && steps * width_ > most_in_cache) return false;
  number(ids, numbers);
  const auto rows = static_cast<Index>(numbers.size());
  const Index lanes = (rows + lane_rows - 1) / lane_rows;
  if (by_id_) {
    list_lanes(lanes);
  } else {
    list_steps(rows, slice_rows);
  }
  with_float(dtype_, [&]<class T>() {
    room<T>(gradients_, (by_id_ ? lanes * count() : steps) * width_);
    make_products<T>(workers);
  });
  return true;
}

void Tabulated::number(const Rows& ids, std::span<const Index> numbers) {
  const auto rows = static_cast<Index>(numbers.size());
  const Index vocabulary = table_->shape()[0];
  place_of_.resize(static_cast<std::size_t>(vocabulary), -1);
  ids_.assign(1, 0);
  first_step_.assign(2, 0);  // counts, moved up by one
  place_of_[0] = 0;
  if (places_.shape() != Shape{rows, time_}) {
    places_ = Tensor({rows, time_}, DType::int32);
    place_rows_ = Rows(places_);
    numbers_.resize(static_cast<std::size_t>(rows));
    std::iota(numbers_.begin(), numbers_.end(), Index{0});
  }
  std::int32_t* to = places_.values<std::int32_t>().data();
  std::int32_t wrong = 0;
  for (const Index number : numbers) {
    const auto* row = static_cast<const std::int32_t*>(ids.row(number));
    for (Index t = 0; t < time_; ++t) {
      if (row[t] < 0 || row[t] >= vocabulary) {
        wrong = row[t];
        continue;
      }
      std::int32_t& place = place_of_[static_cast<std::size_t>(row[t])];
      if (place < 0) {
        place = static_cast<std::int32_t>(ids_.size());
        ids_.push_back(row[t]);
        first_step_.push_back(0);
      }
      ++first_step_[static_cast<std::size_t>(place) + 1];
      *to++ = place;
    }
  }
  for (const std::int32_t id : ids_) place_of_[static_cast<std::size_t>(id)] = -1;
  if (wrong != 0) throw outside_table(*embedding_->layer, wrong, vocabulary);
}

/// By id, the steps in the order in which slices have them: slice by slice, in time, row by row.
void Tabulated::list_steps(Index rows, Index slice_rows) {
  std::partial_sum(first_step_.begin(), first_step_.end(), first_step_.begin());
  steps_.resize(static_cast<std::size_t>(rows * time_));
  const std::int32_t* places = places_.values<std::int32_t>().data();
  std::int32_t at = 0;
  for (Index first = 0, last = 0; first < rows; first = last) {
    const Index lane_end = (first / lane_rows_ + 1) * lane_rows_;
    last = std::min({first + slice_rows, lane_end, rows});
    for (Index t = 0; t < time_; ++t) {
      for (Index row = first; row < last; ++row, ++at) {
        const auto place = static_cast<std::size_t>(places[row * time_ + t]);
        steps_[static_cast<std::size_t>(first_step_[place]++)] = at;
      }
    }
  }
  // Each has moved to where the next one began.
  first_step_.insert(first_step_.begin(), 0);
  first_step_.pop_back();
}

/// By id, its row of every lane.
void Tabulated::list_lanes(Index lanes) {
  steps_.clear();
  first_step_.assign(1, 0);
  for (Index id = 0; id < count(); ++id) {
    for (Index lane = 0; lane < lanes; ++lane) {
      steps_.push_back(static_cast<std::int32_t>(lane * count() + id));
    }
    first_step_.push_back(static_cast<std::int32_t>(steps_.size()));
  }
}

Index Tabulated::chunk() const { return std::clamp<Index>(32768 / width_, 8, 256); }

template <class T>
void Tabulated::make_products(base::Workers& workers) {
  layer_->prepare_tabulated(dtype_);
  const Index F = kernel_.shape.features;
  T* arranged = room<T>(arranged_, F * columns_);
  T* bias = room<T>(bias_, columns_);
  kernels::recurrent_table_kernel(kernel_.shape, kernel_.kernel->value().values<T>().data(),
                                  arranged);
  kernels::recurrent_table_bias(
      kernel_.shape, kernel_.bias != nullptr ? kernel_.bias->value().values<T>().data() : nullptr,
      bias);
  T* packed = room<T>(packed_, kernels::packed_size<T>(F, columns_));
  kernels::pack(F, columns_, arranged, columns_, false, packed);
  T* transposed = room<T>(packed_transposed_, kernels::packed_size<T>(columns_, F));
  kernels::pack(columns_, F, arranged, columns_, true, transposed);
  T* rows = room<T>(rows_, count() * F);
  T* products = room<T>(products_, count() * width_);
  const T* table = table_->value().values<T>().data();
  workers.run((count() + chunk() - 1) / chunk(), [&](Index c) {
    const Index first = c * chunk(), last = std::min(first + chunk(), count());
    kernels::gather_rows<T>(F, table, ids_.data() + first, last - first, rows + first * F);
    kernels::gemm<T>(last - first, columns_, F, rows + first * F, F, packed,
                     products + first * width_, width_, {.bias = bias});
  });
}

TableRows Tabulated::rows_of(Index first_row) const {
  auto* gradients = static_cast<std::byte*>(const_cast<void*>(gradients_.raw()));
  const Index row_bytes = width_ * size_of(dtype_);
  const Index first = by_id_ ? first_row / lane_rows_ * count() : first_row * time_;
  gradients += first * row_bytes;
  const bool lane_begins = first_row % lane_rows_ == 0;
  if (by_id_ && lane_begins)
    std::memset(gradients, 0, static_cast<std::size_t>(count() * row_bytes));
  return {products_.raw(), gradients, by_id_};
}

void Tabulated::finish(const FlatWeights& weights, void* dense, void* table,
                       base::Workers& workers) {
  with_float(dtype_, [&]<class T>() {
    add_up(weights, static_cast<T*>(dense), static_cast<T*>(table), workers);
  });
}

template <class T>
void Tabulated::add_up(const FlatWeights& weights, T* dense, T* table, base::Workers& workers) {
  const Index F = kernel_.shape.features, chunks = (count() + chunk() - 1) / chunk();
  T* sums = static_cast<T*>(products_.raw());
  T* rows = static_cast<T*>(rows_.raw());
  const T* gradients = static_cast<const T*>(gradients_.raw());
  const T* transposed = static_cast<const T*>(packed_transposed_.raw());
  T* partial = room<T>(partial_, chunks * F * columns_);
  T* d_table = table + weights.offset(table_->position) - weights.dense_size();
  workers.run(chunks, [&](Index c) {
    const Index first = c * chunk(), last = std::min(first + chunk(), count());
    for (Index i = first; i < last; ++i) {
      const std::int32_t* own = first_step_.data() + i;
      kernels::sum_rows<T>(width_, gradients, steps_.data() + own[0], own[1] - own[0],
                           sums + i * width_);
    }
    T* d_kernel = partial + c * F * columns_;
    std::fill_n(d_kernel, F * columns_, T{0});
    kernels::gemm_transposed_a<T>(last - first, columns_, F, rows + first * F, F,
                                  sums + first * width_, width_, d_kernel, columns_);
    kernels::gemm<T>(last - first, F, columns_, sums + first * width_, width_, transposed,
                     rows + first * F, F);
    kernels::scatter_rows<T>(F, rows + first * F, ids_.data() + first, last - first, d_table);
  });
  for (Index c = 1; c < chunks; ++c) {
    kernels::add(F * columns_, partial, partial + c * F * columns_, partial);
  }
  kernels::recurrent_table_gradient(kernel_.shape, partial,
                                    dense + weights.offset(kernel_.kernel->position));
}

void Tabulated::clear(const FlatWeights& weights, void* table) {
  const Index F = kernel_.shape.features;
  with_float(dtype_, [&]<class T>() {
    T* d_table = static_cast<T*>(table) + weights.offset(table_->position) - weights.dense_size();
    for (const std::int32_t id : ids_) std::fill_n(d_table + id * F, F, T{0});
  });
}

}  // namespace unroll
