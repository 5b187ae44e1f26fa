// Forward and backward of recurrent layers with oneDNN's RNN primitives, timed on request
// (bench/side.h): what a training step of bench/steps.cpp does without its embedding, its Dense
// layer, its loss and its update.
//
//   build/bench/onednn WORKLOAD [check]      char1, char2, rnn256, gru256, lstm256
//
// Threads are OpenMP's (OMP_NUM_THREADS). Weights are packed by a reorder, once: that is outside
// the times. `check` computes the rest in plain loops and prints what `steps WORKLOAD 1 check`
// does.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dnnl.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/side.h"

namespace {

using namespace unroll;
using dnnl::memory;
using Dims = memory::dims;
using Tag = memory::format_tag;
using Floats = std::vector<float>;

struct Device {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
};

float* numbers_of(const memory& m) { return static_cast<float*>(m.get_data_handle()); }

double squares(const Floats& v, std::size_t first = 0, std::size_t count = SIZE_MAX) {
  double sum = 0;
  for (std::size_t i = first; i < v.size() && i - first < count; ++i) sum += double(v[i]) * v[i];
  return sum;
}

/// T steps of B rows of I numbers to U units, in oneDNN's order of gates, which is Keras's.
class RecurrentLayer {
 public:
  RecurrentLayer(Device& device, const std::string& kind, long T, long B, long I, long U)
      : device_(device), kind_(kind), T_(T), B_(B), I_(I), U_(U) {
    gates_ = kind == "lstm" ? 4 : kind == "gru" ? 3 : 1;
    bias_gates_ = kind == "gru" ? 4 : gates_;
    make();
  }

  Floats x, y, dx, dy;  ///< (T, B, I), (T, B, U)

  long kernel_size() const { return I_ * gates_ * U_; }
  long recurrent_size() const { return U_ * gates_ * U_; }
  long bias_size() const { return (kind_ == "gru" ? 2 : 1) * gates_ * U_; }

  /// Packs weights in Keras's layout. GRU's bias is (2, 3 U); oneDNN's has four gates, as those of
  /// update and reset always come in sums.
  void set_weights(const Floats& kernel, const Floats& recurrent, Floats bias) {
    if (kind_ == "gru") {
      const auto U = static_cast<std::size_t>(U_);
      for (std::size_t i = 0; i < 2 * U; ++i) bias[i] += bias[3 * U + i];
      bias.erase(bias.begin() + 3 * U_, bias.begin() + 5 * U_);
    }
    std::memcpy(numbers_of(bias_), bias.data(), bias.size() * sizeof(float));
    pack(kernel, {1, 1, I_, gates_, U_}, {&forward_w_, &backward_w_});
    pack(recurrent, {1, 1, U_, gates_, U_}, {&forward_u_, &backward_u_});
  }

  void forward() { run(*forward_, forward_arguments_); }
  void backward() {
    for (const memory* sum : {&dw_, &du_, &dbias_}) {
      std::memset(sum->get_data_handle(), 0, sum->get_desc().get_size());
    }
    run(*backward_, backward_arguments_);
  }

  /// The lengths of the gradients of kernel, recurrent kernel and bias.
  void add_lengths(std::vector<double>& lengths) {
    for (const memory* gradient : {&dw_, &du_}) {
      lengths.push_back(std::sqrt(squares(unpacked(*gradient))));
    }
    const Floats bias(numbers_of(dbias_), numbers_of(dbias_) + bias_gates_ * U_);
    const auto shared = static_cast<std::size_t>(2 * U_);
    const double twice = kind_ == "gru" ? squares(bias, 0, shared) : 0;  // Keras has them twice
    lengths.push_back(std::sqrt(squares(bias) + twice));
  }

 private:
  static memory::desc desc(const Dims& dims, Tag tag) {
    return {dims, memory::data_type::f32, tag};
  }
  memory make_memory(const memory::desc& d) { return memory(d, device_.engine); }
  memory on(const memory::desc& d, Floats& numbers) {
    numbers.resize(d.get_size() / sizeof(float));
    return memory(d, device_.engine, numbers.data());
  }

  void pack(const Floats& numbers, const Dims& dims, std::vector<memory*> to) {
    Floats copy = numbers;
    memory plain(desc(dims, Tag::ldigo), device_.engine, copy.data());
    for (memory* packed : to) {
      dnnl::reorder(plain, *packed).execute(device_.stream, plain, *packed);
    }
    device_.stream.wait();
  }

  Floats unpacked(const memory& gradient) {
    memory plain = make_memory(desc(gradient.get_desc().dims(), Tag::ldigo));
    memory from = gradient;
    dnnl::reorder(from, plain).execute(device_.stream, from, plain);
    device_.stream.wait();
    const float* v = numbers_of(plain);
    return {v, v + plain.get_desc().get_size() / sizeof(float)};
  }

  void run(const dnnl::primitive& primitive, const std::unordered_map<int, memory>& arguments) {
    primitive.execute(device_.stream, arguments);
    device_.stream.wait();
  }

  void make() {
    const auto training = dnnl::prop_kind::forward_training, back = dnnl::prop_kind::backward;
    const auto right = dnnl::rnn_direction::unidirectional_left2right;
    const auto tanh = dnnl::algorithm::eltwise_tanh;
    const memory::desc none,
        h0 = desc({1, 1, B_, U_}, Tag::ldnc), src = desc({T_, B_, I_}, Tag::tnc),
        dst = desc({T_, B_, U_}, Tag::tnc), w = desc({1, 1, I_, gates_, U_}, Tag::any),
        u = desc({1, 1, U_, gates_, U_}, Tag::any), b = desc({1, 1, bias_gates_, U_}, Tag::ldgo);
    if (kind_ == "lstm") {
      const dnnl::lstm_forward::primitive_desc f(
          {training, right, src, h0, h0, w, u, b, dst, none, none}, device_.engine);
      const dnnl::lstm_backward::primitive_desc g({back, right, src, h0, h0, w, u, b,   dst,  none,
                                                   none, src,   h0,  h0, w,  u, b, dst, none, none},
                                                  device_.engine, f);
      finish<dnnl::lstm_forward, dnnl::lstm_backward>(f, g);
    } else if (kind_ == "gru") {
      const dnnl::lbr_gru_forward::primitive_desc f({training, right, src, h0, w, u, b, dst, none},
                                                    device_.engine);
      const dnnl::lbr_gru_backward::primitive_desc g(
          {back, right, src, h0, w, u, b, dst, none, src, h0, w, u, b, dst, none}, device_.engine,
          f);
      finish<dnnl::lbr_gru_forward, dnnl::lbr_gru_backward>(f, g);
    } else {
      const dnnl::vanilla_rnn_forward::primitive_desc f(
          {training, tanh, right, src, h0, w, u, b, dst, none}, device_.engine);
      const dnnl::vanilla_rnn_backward::primitive_desc g(
          {back, tanh, right, src, h0, w, u, b, dst, none, src, h0, w, u, b, dst, none},
          device_.engine, f);
      finish<dnnl::vanilla_rnn_forward, dnnl::vanilla_rnn_backward>(f, g);
    }
  }

  template <class Forward, class Backward, class ForwardDesc, class BackwardDesc>
  void finish(const ForwardDesc& f, const BackwardDesc& g) {
    forward_w_ = make_memory(f.weights_layer_desc());
    forward_u_ = make_memory(f.weights_iter_desc());
    backward_w_ = make_memory(g.weights_layer_desc());
    backward_u_ = make_memory(g.weights_iter_desc());
    bias_ = make_memory(f.bias_desc());
    dw_ = make_memory(g.diff_weights_layer_desc());
    du_ = make_memory(g.diff_weights_iter_desc());
    dbias_ = make_memory(g.diff_bias_desc());
    const memory workspace = make_memory(f.workspace_desc());
    // Left out, the first state were zeros too, but not in the gradient of the recurrent kernel.
    const memory::desc first = desc({1, 1, B_, U_}, Tag::ldnc);
    const memory zeros = make_memory(first), dzeros = make_memory(first);
    std::memset(zeros.get_data_handle(), 0, first.get_size());
    forward_arguments_ = {{DNNL_ARG_SRC_LAYER, on(f.src_layer_desc(), x)},
                          {DNNL_ARG_WEIGHTS_LAYER, forward_w_},
                          {DNNL_ARG_WEIGHTS_ITER, forward_u_},
                          {DNNL_ARG_BIAS, bias_},
                          {DNNL_ARG_DST_LAYER, on(f.dst_layer_desc(), y)},
                          {DNNL_ARG_SRC_ITER, zeros},
                          {DNNL_ARG_WORKSPACE, workspace}};
    if (kind_ == "lstm") forward_arguments_[DNNL_ARG_SRC_ITER_C] = zeros;
    backward_arguments_ = forward_arguments_;
    backward_arguments_[DNNL_ARG_WEIGHTS_LAYER] = backward_w_;
    backward_arguments_[DNNL_ARG_WEIGHTS_ITER] = backward_u_;
    backward_arguments_[DNNL_ARG_DIFF_SRC_ITER] = dzeros;
    if (kind_ == "lstm") backward_arguments_[DNNL_ARG_DIFF_SRC_ITER_C] = make_memory(first);
    backward_arguments_[DNNL_ARG_DIFF_SRC_LAYER] = on(g.diff_src_layer_desc(), dx);
    backward_arguments_[DNNL_ARG_DIFF_WEIGHTS_LAYER] = dw_;
    backward_arguments_[DNNL_ARG_DIFF_WEIGHTS_ITER] = du_;
    backward_arguments_[DNNL_ARG_DIFF_BIAS] = dbias_;
    backward_arguments_[DNNL_ARG_DIFF_DST_LAYER] = on(g.diff_dst_layer_desc(), dy);
    forward_ = std::make_unique<Forward>(f);
    backward_ = std::make_unique<Backward>(g);
  }

  Device& device_;
  std::string kind_;
  long T_, B_, I_, U_, gates_ = 1, bias_gates_ = 1;
  memory forward_w_, forward_u_, backward_w_, backward_u_, bias_, dw_, du_, dbias_;
  std::unordered_map<int, memory> forward_arguments_, backward_arguments_;
  std::unique_ptr<dnnl::primitive> forward_, backward_;
};

/// A stack of layers.
struct Net {
  bool characters = false;
  long T = 50, B = 64, U = 256;
  std::size_t weights = 0;  ///< given out so far, of Keras's list
  std::vector<std::unique_ptr<RecurrentLayer>> layers;

  RecurrentLayer& last() { return *layers.back(); }
  Floats take(long count) { return bench::weight(count, weights++); }

  void forward() {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (i > 0) layers[i]->x.assign(layers[i - 1]->y.begin(), layers[i - 1]->y.end());
      layers[i]->forward();
    }
  }
  void backward() {
    for (std::size_t i = layers.size(); i > 0; --i) {
      layers[i - 1]->backward();
      if (i > 1) layers[i - 2]->dy.assign(layers[i - 1]->dx.begin(), layers[i - 1]->dx.end());
    }
  }
};

Net make(Device& device, const std::string& name) {
  Net net;
  net.characters = name.starts_with("char");
  const std::string kind = net.characters ? "lstm" : name.substr(0, name.size() - 3);
  const std::size_t count = name == "char2" ? 2 : 1;
  if (net.characters) net.T = 128, net.U = 512, net.weights = 1;
  for (std::size_t i = 0; i < count; ++i) {
    const long I = i > 0 ? net.U : net.characters ? 64 : 256;
    net.layers.push_back(std::make_unique<RecurrentLayer>(device, kind, net.T, net.B, I, net.U));
    RecurrentLayer& layer = net.last();
    const Floats kernel = net.take(layer.kernel_size());
    const Floats recurrent = net.take(layer.recurrent_size());
    layer.set_weights(kernel, recurrent, net.take(layer.bias_size()));
  }
  return net;
}

/// The input, turned to time first: numbers, or the rows of an embedding's table.
void fill_input(Net& net) {
  const auto T = static_cast<std::size_t>(net.T), B = static_cast<std::size_t>(net.B);
  const std::size_t I = net.characters ? 64 : 256;
  const Floats table =
      net.characters ? bench::weight(65 * 64, 0) : bench::numbers(net.B * net.T * 256);
  const auto words = bench::ids(net.B * net.T, 65);
  for (std::size_t b = 0; b < B; ++b) {
    for (std::size_t t = 0; t < T; ++t) {
      const std::size_t row =
          net.characters ? static_cast<std::size_t>(words[b * T + t]) : b * T + t;
      std::memcpy(&net.layers[0]->x[(t * B + b) * I], &table[row * I], I * sizeof(float));
    }
  }
}

/// Dense(1) of the last step, and mean squares.
double regress(Net& net, const Floats& kernel, float bias, std::vector<double>& lengths) {
  const auto U = static_cast<std::size_t>(net.U), B = static_cast<std::size_t>(net.B);
  const Floats truth = bench::numbers(net.B);
  const std::size_t first = (static_cast<std::size_t>(net.T) - 1) * B * U;
  std::ranges::fill(net.last().dy, 0.0f);
  std::vector<double> dkernel(U);
  double loss = 0, dbias = 0;
  for (std::size_t b = 0; b < B; ++b) {
    const float* h = &net.last().y[first + b * U];
    double y = bias;
    for (std::size_t u = 0; u < U; ++u) y += double(h[u]) * kernel[u];
    loss += (y - truth[b]) * (y - truth[b]) / double(B);
    const double dy = 2 * (y - truth[b]) / double(B);
    dbias += dy;
    for (std::size_t u = 0; u < U; ++u) {
      dkernel[u] += dy * h[u];
      net.last().dy[first + b * U + u] = static_cast<float>(dy * kernel[u]);
    }
  }
  double sum = 0;
  for (const double d : dkernel) sum += d * d;
  lengths = {std::sqrt(sum), std::abs(dbias)};
  return loss;
}

/// Dense(65, softmax) at every step, and the crossentropy of the same ids.
double classify(Net& net, const Floats& kernel, const Floats& bias, std::vector<double>& lengths) {
  const auto U = static_cast<std::size_t>(net.U), B = static_cast<std::size_t>(net.B);
  const auto T = static_cast<std::size_t>(net.T);
  const std::size_t V = 65;
  const auto words = bench::ids(net.B * net.T, 65);
  std::vector<double> dkernel(U * V), dbias(V), z(V);
  double loss = 0;
  for (std::size_t i = 0; i < T * B; ++i) {  // step i / B of row i % B
    const float* h = &net.last().y[i * U];
    std::copy(bias.begin(), bias.end(), z.begin());
    for (std::size_t u = 0; u < U; ++u) {
      for (std::size_t v = 0; v < V; ++v) z[v] += double(h[u]) * kernel[u * V + v];
    }
    double total = 0;
    for (double& value : z) total += value = std::exp(value);
    const auto word = static_cast<std::size_t>(words[(i % B) * T + i / B]);
    loss -= std::log(z[word] / total) / double(T * B);
    for (std::size_t v = 0; v < V; ++v) {
      z[v] = (z[v] / total - (v == word ? 1 : 0)) / double(T * B);
      dbias[v] += z[v];
    }
    for (std::size_t u = 0; u < U; ++u) {
      double dh = 0;
      for (std::size_t v = 0; v < V; ++v) {
        dkernel[u * V + v] += h[u] * z[v];
        dh += z[v] * kernel[u * V + v];
      }
      net.last().dy[i * U + u] = static_cast<float>(dh);
    }
  }
  for (const auto* gradient : {&dkernel, &dbias}) {
    double sum = 0;
    for (const double d : *gradient) sum += d * d;
    lengths.push_back(std::sqrt(sum));
  }
  return loss;
}

/// The length of the gradient of the embedding's table.
double table_length(const Net& net) {
  const auto T = static_cast<std::size_t>(net.T), B = static_cast<std::size_t>(net.B);
  const auto words = bench::ids(net.B * net.T, 65);
  std::vector<double> dtable(65 * 64);
  for (std::size_t i = 0; i < T * B; ++i) {
    const auto word = static_cast<std::size_t>(words[(i % B) * T + i / B]);
    for (std::size_t k = 0; k < 64; ++k) dtable[word * 64 + k] += net.layers[0]->dx[i * 64 + k];
  }
  double sum = 0;
  for (const double d : dtable) sum += d * d;
  return std::sqrt(sum);
}

int check(Net& net) {
  fill_input(net);
  net.forward();
  std::vector<double> dense, values(1);
  const long outputs = net.characters ? 65 : 1;
  const Floats kernel = net.take(net.U * outputs), bias = net.take(outputs);
  values[0] =
      net.characters ? classify(net, kernel, bias, dense) : regress(net, kernel, bias[0], dense);
  net.backward();
  if (net.characters) values.push_back(table_length(net));
  for (const auto& layer : net.layers) layer->add_lengths(values);
  values.insert(values.end(), dense.begin(), dense.end());
  bench::print_values(values);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string name = count > 1 ? arguments[1] : "";
  if (name != "char1" && name != "char2" && !name.ends_with("256")) {
    std::cerr << "onednn: char1, char2, rnn256, gru256 or lstm256\n";
    return 2;
  }
  Device device;
  Net net = make(device, name);
  if (count > 2) return check(net);
  fill_input(net);
  std::ranges::fill(net.last().dy, 1e-3f);
  const auto step = [&] {
    const auto start = bench::Clock::now();
    net.forward();
    net.backward();
    return bench::seconds_since(start);
  };
  bench::warm_up(step);
  return bench::answer(step);
}
