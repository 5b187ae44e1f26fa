// Steps that start from products made before: the numbers of the ordinary way.
#include "src/kernels/recurrent_table.h"

#include <gtest/gtest.h>

#include "src/kernels/rows.h"
#include "tests/kernels/recurrent_problem.h"
#include "tests/kernels/targets.h"

namespace unroll::kernels {
namespace {

constexpr Index vocabulary = 6;

template <class T>
double difference(const Numbers<T>& a, const Numbers<T>& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0, scale = 1;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const auto apart = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    if (!(std::abs(apart) <= most)) most = std::abs(apart);
    scale = std::max(scale, std::abs(static_cast<double>(b[i])));
  }
  return most / scale;
}

/// A problem whose x are rows of a table, and its way through the products of that table.
template <class T>
class Tabled {
 public:
  Tabled(const RecurrentShape& shape, const ProblemOptions& options)
      : problem(shape, options),
        F(shape.features),
        width(recurrent_table_width<T>(shape)),
        columns(recurrent_table_columns<T>(shape)) {
    const base::Random random(3);
    for (Index i = 0; i < vocabulary * F; ++i) {
      table.push_back(static_cast<T>(random.uniform(static_cast<std::uint64_t>(i)) - 0.5));
    }
    for (Index i = 0; i < shape.time * shape.rows; ++i) {
      ids.push_back(
          static_cast<std::int32_t>(random.below(vocabulary, static_cast<std::uint64_t>(999 + i))));
      const auto row = table.begin() + ids.back() * F;
      std::copy(row, row + F, problem.x.begin() + i * F);
    }
    arranged.resize(static_cast<std::size_t>(F * columns));
    recurrent_table_kernel(shape, problem.weights.kernel.data(), arranged.data());
    make_products();
  }

  void make_products() {
    Numbers<T> bias(static_cast<std::size_t>(columns));
    const Numbers<T>& from = problem.weights.bias;
    recurrent_table_bias(problem.shape, from.empty() ? nullptr : from.data(), bias.data());
    products.resize(static_cast<std::size_t>(vocabulary * width));
    for (Index id = 0; id < vocabulary; ++id) {
      for (Index n = 0; n < columns; ++n) {
        T sum = at(bias, n);
        for (Index f = 0; f < F; ++f) sum += at(table, id * F + f) * at(arranged, f * columns + n);
        at(products, id * width + n) = sum;
      }
    }
  }

  /// Both calls; what comes back for the products is added up by id, one way or the other.
  void run(bool by_id) {
    RecurrentShape shape = problem.shape;
    shape.features = 0;
    const Buffer<T> packed(recurrent_packed_size<T>(shape));
    const Buffer<T> saved(recurrent_saved_size<T>(shape));
    const Buffer<T> scratch(recurrent_scratch_size<T>(shape, true));
    const Buffer<T> steps(shape.time * shape.rows * width);
    recurrent_pack<T>(shape, nullptr, problem.weights.recurrent_kernel.data(),
                      pointer(problem.weights.bias), true, packed.data());
    const Index step = (problem.options.backwards ? -1 : 1) * shape.rows;

    RecurrentForward<T> forward;
    forward.starts = products.data();
    forward.ids = problem.begin(ids.data(), step);
    forward.ids_step = step;
    put_common(forward);
    out = problem.empty_outputs();
    forward.y = pointer(out.y);
    forward.h_last = pointer(out.h_last);
    forward.c_last = pointer(out.c_last);
    forward.last = pointer(out.last);
    forward.packed = packed.data();
    forward.saved = saved.data();
    forward.scratch = scratch.data();
    recurrent_forward(shape, forward);

    d = problem.started_gradients();
    sums.assign(static_cast<std::size_t>(vocabulary * width), T{0});
    RecurrentBackward<T> backward;
    put_common(backward);
    backward.packed = packed.data();
    backward.saved = saved.data();
    backward.scratch = scratch.data();
    backward.dy = pointer(problem.dy);
    backward.dlast = pointer(problem.dlast);
    backward.dh_last = pointer(problem.dh_last);
    backward.dc_last = pointer(problem.dc_last);
    backward.drecurrent_kernel = d.weights.recurrent_kernel.data();
    backward.dbias = pointer(d.weights.bias);
    backward.dh0 = pointer(d.dh0);
    backward.dc0 = pointer(d.dc0);
    backward.dstarts = by_id ? sums.data() : problem.begin(steps.data(), step * width);
    backward.dstarts_step = step * width;
    backward.ids = by_id ? forward.ids : nullptr;
    backward.ids_step = step;
    recurrent_backward(shape, backward);
    EXPECT_TRUE(packed.guarded() && saved.guarded() && scratch.guarded() && steps.guarded());
    if (!by_id) add_up(steps.data());
    d.weights.kernel = problem.started_gradients().weights.kernel;
    Numbers<T> kernel(static_cast<std::size_t>(F * columns));
    for (Index id = 0; id < vocabulary; ++id) {
      for (Index i = 0; i < F * columns; ++i) {
        at(kernel, i) += at(table, id * F + i / columns) * at(sums, id * width + i % columns);
      }
    }
    recurrent_table_gradient(shape_with_features(), kernel.data(), d.weights.kernel.data());
  }

  RecurrentShape shape_with_features() const { return problem.shape; }
  void add_up(const T* steps) {
    for (std::int32_t id = 0; id < vocabulary; ++id) {
      std::vector<std::int32_t> rows;
      for (std::size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] == id) rows.push_back(static_cast<std::int32_t>(i));
      }
      sum_rows(width, steps, rows.data(), static_cast<Index>(rows.size()),
               sums.data() + id * width);
    }
  }
  /// The gradient of the table: of the sums, and of dx.
  Numbers<T> of_sums() const {
    Numbers<T> rows(table.size());
    for (Index id = 0; id < vocabulary; ++id) {
      for (Index i = 0; i < F * columns; ++i) {
        rows[static_cast<std::size_t>(id * F + i / columns)] +=
            at(sums, id * width + i % columns) * at(arranged, i);
      }
    }
    return rows;
  }
  Numbers<T> of_dx(const Numbers<T>& dx, const Numbers<T>& before) const {
    Numbers<T> rows(table.size());
    for (std::size_t i = 0; i < dx.size(); ++i) {
      const auto step = i / static_cast<std::size_t>(F), f = i % static_cast<std::size_t>(F);
      rows[static_cast<std::size_t>(ids[step] * F) + f] += dx[i] - before[i];
    }
    return rows;
  }

  Problem<T> problem;
  Index F, width, columns;
  Numbers<T> table, arranged, products, sums;
  std::vector<std::int32_t> ids;
  Outputs<T> out;
  Gradients<T> d;

 private:
  static T at(const Numbers<T>& v, Index i) { return v[static_cast<std::size_t>(i)]; }
  static T& at(Numbers<T>& v, Index i) { return v[static_cast<std::size_t>(i)]; }
  template <class V>
  static auto pointer(V& v) {
    return v.empty() ? nullptr : v.data();
  }
  template <class Call>
  void put_common(Call& call) {
    if (!problem.mask.empty()) call.mask = problem.begin(problem.mask.data(), problem.mask_step());
    call.mask_step = problem.mask_step();
    call.zero_output_for_mask = problem.options.zero_output_for_mask;
    call.h0 = pointer(problem.h0);
    call.c0 = pointer(problem.c0);
  }
};

template <class T>
void expect_the_ordinary_way(const RecurrentShape& shape, const ProblemOptions& options,
                             const std::string& where) {
  const double room = std::is_same_v<T, float> ? 2e-5 : 1e-12;
  Tabled<T> tabled(shape, options);
  const KernelRun<T> ordinary(tabled.problem);
  const Outputs<T> out = ordinary.forward(true);
  const Gradients<T> before = tabled.problem.started_gradients();
  const Gradients<T> d = ordinary.backward(before);
  for (const bool by_id : {false, true}) {
    tabled.run(by_id);
    const std::string which = where + (by_id ? ", by id" : ", by step");
    const auto close = [&](const char* what, const Numbers<T>& got, const Numbers<T>& want) {
      if (std::string(what) == "dx") return;
      EXPECT_LE(difference(got, want), room) << what << which;
    };
    for_each_result(tabled.out, out, close);
    for_each_result(tabled.d, d, close);
    close("dtable", tabled.of_sums(), tabled.of_dx(d.dx, before.dx));
  }
}

template <class T>
void expect_on_all(const std::string& target) {
  for (const CellKind cell :
       {CellKind::simple_rnn, CellKind::gru, CellKind::gru_reset_after, CellKind::lstm}) {
    for (const Masking masking : {Masking::none, Masking::holes, Masking::rows}) {
      for (const Index units : {Index{16}, Index{20}, Index{64}}) {
        for (const Index rows : {Index{1}, Index{5}}) {
          const RecurrentShape shape{
              .cell = cell, .time = 9, .rows = rows, .features = 7, .units = units};
          const bool odd = (units + rows) % 2 != 0;
          expect_the_ordinary_way<T>(
              shape, {.masking = masking, .bias = rows > 1, .backwards = odd, .sequence = !odd},
              ", " + target + ", cell " + std::to_string(static_cast<int>(cell)) + ", mask " +
                  std::to_string(static_cast<int>(masking)) + ", " + std::to_string(units) +
                  " units, " + std::to_string(rows) + " rows");
        }
      }
    }
  }
}

TEST(RecurrentTable, GoesTheOrdinaryWayOnEveryTarget) {
  on_every_target([](const std::string& target) {
    expect_on_all<float>(target);
    expect_on_all<double>(target);
  });
}

}  // namespace
}  // namespace unroll::kernels
