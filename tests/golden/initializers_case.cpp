// initializers.json: what is known of the numbers that an initializer draws, and of the weights
// that a layer begins with.
#include <algorithm>
#include <cmath>

#include "tests/golden/cases.h"
#include "tests/golden/options.h"

namespace unroll::golden {

namespace {

/// The class with its arguments. Throws: Skip for one that is not known.
Initializer initializer_of(const std::string& class_name, const Json& kwargs) {
  Initializer made = parse_or_skip(parse_initializer, class_name);
  double a = made.a(), b = made.b();
  int mode = 0, distribution = 0;
  Index seed = -1;
  for (const auto& [name, value] : kwargs.items()) {
    if (value.is_null() || name == "name" || name == "dtype") continue;
    if (name == "minval" || name == "mean" || name == "value" || name == "gain" ||
        name == "scale") {
      a = number_of(value);
    } else if (name == "maxval" || name == "stddev") {
      b = number_of(value);
    } else if (name == "mode") {
      const auto text = value.get<std::string>();
      mode = text == "fan_in" ? 0 : text == "fan_out" ? 1 : 2;
    } else if (name == "distribution") {
      const auto text = value.get<std::string>();
      distribution = text == "uniform" ? 2 : text == "untruncated_normal" ? 1 : 0;
    } else if (name == "seed") {
      seed = value.get<Index>();
    } else {
      throw Skip("no option " + name + " of " + class_name);
    }
  }
  if (made.kind() == InitializerKind::variance_scaling) {
    made = variance_scaling(a, static_cast<FanMode>(mode),
                            static_cast<ScalingDistribution>(distribution));
  } else {
    made = Initializer(made.kind(), a, b);
  }
  return seed < 0 ? made : made.with_seed(static_cast<std::uint32_t>(seed));
}

/// Many draws of the recorded shape.
std::vector<double> draws(const Initializer& initializer, const Shape& shape, DType dtype) {
  constexpr Index wanted = 200000;
  std::vector<double> all;
  for (std::uint64_t stream = 1; static_cast<Index>(all.size()) < wanted; ++stream) {
    Tensor values(shape, dtype);
    initializer.fill(values, 7, stream);
    const Tensor same = values.to(DType::float64);
    all.insert(all.end(), same.values<double>().begin(), same.values<double>().end());
  }
  return all;
}

struct Moments {
  double mean = 0, deviation = 0;
};
Moments moments_of(const std::vector<double>& numbers) {
  Moments m;
  for (const double x : numbers) m.mean += x / static_cast<double>(numbers.size());
  for (const double x : numbers) {
    m.deviation += (x - m.mean) * (x - m.mean) / static_cast<double>(numbers.size());
  }
  m.deviation = std::sqrt(m.deviation);
  return m;
}

/// Of 200,000 numbers the mean is off by 0.2 % of the deviation, the deviation by 0.2 % of itself.
void compare_moments(const std::vector<double>& numbers, const Moments& want,
                     Comparison& comparison) {
  const Moments got = moments_of(numbers);
  comparison.close("mean", got.mean, want.mean, {0, 0.012 * want.deviation});
  comparison.close("standard deviation", got.deviation, want.deviation, {0.01, 0});
}

/// All numbers lie between the bounds, and some come near: within a share of the range.
void compare_range(const std::vector<double>& numbers, double low, double high, double near,
                   Comparison& comparison) {
  const auto [least, most] = std::ranges::minmax(numbers);
  const double slack = 1e-6 * (high - low);  // of float32
  comparison.close("least", least, low + near * (high - low) / 2,
                   {0, near * (high - low) / 2 + slack});
  comparison.close("most", most, high - near * (high - low) / 2,
                   {0, near * (high - low) / 2 + slack});
}

void compare_orthogonal(const Initializer& initializer, const Shape& shape, double gain,
                        DType dtype, Comparison& comparison) {
  Tensor values(shape, dtype);
  initializer.fill(values, 7, 1);
  const Tensor same = values.to(DType::float64);
  const double* q = same.values<double>().data();
  const Index rows = shape.product(0, shape.rank() - 1), columns = shape[-1];
  const bool wide = rows < columns;
  const Index vectors = wide ? rows : columns, length = wide ? columns : rows;
  const auto at = [&](Index vector, Index i) {
    return wide ? q[vector * columns + i] : q[i * columns + vector];
  };
  for (Index a = 0; a < vectors; ++a) {
    for (Index b = 0; b < vectors; ++b) {
      double product = 0;
      for (Index i = 0; i < length; ++i) product += at(a, i) * at(b, i);
      comparison.close("product of vectors " + std::to_string(a) + " and " + std::to_string(b),
                       product, a == b ? gain * gain : 0,
                       {0, (dtype == DType::float64 ? 1e-12 : 1e-5) * gain * gain});
    }
  }
}

void run_distribution(const Json& spec, DType dtype, Comparison& comparison) {
  const Initializer initializer =
      initializer_of(spec.at("class_name").get<std::string>(), spec.at("kwargs"));
  const Shape shape = shape_of(spec.at("shape"));
  const auto kind = spec.at("distribution").get<std::string>();
  const auto number = [&](const char* name) { return number_of(spec.at(name)); };
  if (kind == "deterministic") {
    Tensor values(shape, dtype);
    initializer.fill(values, 7, 1);
    return comparison.equal("values", values, tensor_of(spec.at("values"), dtype));
  }
  if (kind == "orthogonal") {
    return compare_orthogonal(initializer, shape, number("gain"), dtype, comparison);
  }
  const std::vector<double> numbers = draws(initializer, shape, dtype);
  if (kind == "uniform") {
    const double low = number("low"), high = number("high");
    compare_range(numbers, low, high, 0.002, comparison);
    compare_moments(numbers, {(low + high) / 2, (high - low) / std::sqrt(12.0)}, comparison);
  } else if (kind == "normal") {
    const Moments want{number("mean"), number("stddev")};
    compare_moments(numbers, want, comparison);
    const auto outside = std::ranges::count_if(
        numbers, [&](double x) { return std::abs(x - want.mean) > 2 * want.deviation; });
    comparison.close("share beyond two deviations",
                     static_cast<double>(outside) / static_cast<double>(numbers.size()), 0.0455,
                     {0, 0.003});
  } else if (kind == "truncated_normal") {
    const double before = number("stddev_before_truncation");
    const Json& bounds = spec.at("truncated_at");
    compare_range(numbers, number_of(bounds[0]), number_of(bounds[1]), 0.01, comparison);
    // Cut at two deviations the normal distribution keeps this much of its own.
    compare_moments(numbers, {number("mean"), 0.8796256610342398 * before}, comparison);
    if (spec.contains("effective_stddev")) {
      comparison.close("effective_stddev", moments_of(numbers).deviation,
                       number("effective_stddev"), {0.01, 0});
    }
  } else {
    throw Skip("no distribution " + kind);
  }
}

/// "kernel_initializer" for "kernel", "recurrent_initializer" for "recurrent_kernel".
std::string initializer_name(const std::string& weight) {
  return (weight == "recurrent_kernel" ? "recurrent" : weight) + "_initializer";
}

void run_layer_defaults(const Json& spec, DType dtype, Comparison& comparison) {
  const Layer layer(make_layer(spec.at("layer")));
  const Shape input = shape_of(spec.at("input_shape"));
  layer(Input({.shape = input.slice(1, input.rank())}));
  const auto parameters = layer.impl().parameters();
  const Json& weights = spec.at("weights");
  if (parameters.size() != weights.size()) {
    return comparison.fail("has " + std::to_string(parameters.size()) + " weights, want " +
                           std::to_string(weights.size()));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    Parameter& got = *parameters[i];
    const auto name = weights[i].at("name").get<std::string>();
    if (got.name() != name) comparison.fail("weight " + got.name() + ", want " + name);
    if (got.trainable != weights[i].at("trainable").get<bool>()) {
      comparison.fail(name + ": trainable or not");
    }
    got.move_to(Tensor(got.shape(), dtype));
    got.initialize(7, i + 1);
    const Json& values = weights[i].at("values");
    if (values.is_null()) {  // random: only the shape is known
      comparison.close(name, Tensor(got.shape()), Tensor(shape_of(weights[i].at("shape"))), {});
    } else {
      comparison.equal(name, got.value(), tensor_of(values, dtype));
    }
    const Json& recorded = spec.at("initializers");
    const auto of_weight = recorded.find(initializer_name(name));
    if (of_weight == recorded.end()) continue;
    const Initializer want =
        parse_or_skip(parse_initializer, of_weight->at("class_name").get<std::string>());
    if (got.initializer().kind() != want.kind()) {
      comparison.fail(name + " begins with " + std::string(got.initializer().name()) + ", want " +
                      std::string(want.name()));
    }
  }
}

}  // namespace

void run_initializer(const Json& spec, DType dtype, Comparison& comparison) {
  if (spec.at("distribution") == "layer_defaults") {
    run_layer_defaults(spec, dtype, comparison);
  } else {
    run_distribution(spec, dtype, comparison);
  }
}

std::string initializer_case_name(const Json& spec) {
  const auto compact = [](const Json& json) { return json.empty() ? std::string() : json.dump(); };
  if (spec.contains("layer")) {
    const Json& layer = spec.at("layer");
    return layer.at("class_name").get<std::string>() + compact(layer.value("kwargs", Json()));
  }
  return spec.at("class_name").get<std::string>() + compact(spec.at("kwargs")) +
         spec.at("shape").dump();
}

}  // namespace unroll::golden
