// RUN: tfc-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{expected a dim expression: an integer, a symbol or a call}}
func.func private @no_expression(tensor<?xf32, #tfc.dims<>>)

// -----

// expected-error @+1 {{expected a dim expression}}
func.func private @no_operand_after_plus(tensor<?xf32, #tfc.dims<a + >>)

// -----

// expected-error @+1 {{unknown function 'pow' in a dim expression}}
func.func private @unknown_function(tensor<?xf32, #tfc.dims<pow(a, 2)>>)

// -----

// expected-error @+1 {{expected ','}}
func.func private @one_argument(tensor<?xf32, #tfc.dims<min(a)>>)

// -----

// expected-error @+1 {{expected ')'}}
func.func private @three_arguments(tensor<?xf32, #tfc.dims<min(a, b, c)>>)

// -----

// expected-error @+1 {{integer value too large}}
func.func private @integer_too_large(tensor<?xf32, #tfc.dims<99999999999999999999 * a>>)

// -----

// expected-error @+1 {{a dim expression is too complex}}
func.func private @too_many_terms(tensor<?xf32, #tfc.dims<(a + b + c + d + 1) * (a + b + c + d + 1) * (a + b + c + d + 1) * (a + b + c + d + 1) * (a + b + c + d + 1) * (a + b + c + d + 1) * (a + b + c + d + 1) * (a + b + c + d + 1) * (a + b + c + d + 1) * (a + b + c + d + 1) * (a + b + c + d + 1) * (a + b + c + d + 1)>>)

// -----

// expected-error @+1 {{dim 0 is 4 in the shape, but a in #tfc.dims}}
func.func private @expression_without_question_mark(tensor<4x?xf32, #tfc.dims<a, b>>)

// -----

// expected-error @+1 {{dim 0 is ? in the shape, but 4 in #tfc.dims}}
func.func private @question_mark_without_expression(tensor<?x?xf32, #tfc.dims<4, b>>)

// -----

// expected-error @+1 {{#tfc.dims has 2 dims, but the tensor has rank 1}}
func.func private @rank(tensor<?xf32, #tfc.dims<a, b>>)

// -----

// One type has one spelling.
// expected-error @+1 {{a tensor without `?` dims carries no #tfc.dims}}
func.func private @static(tensor<4xf32, #tfc.dims<4>>)

// -----

// expected-error @+1 {{dim values need a static integer tensor type with as many elements as there are values}}
func.func private @dim_values_count() attributes {a = #tfc.dim_values<[a, b]> : tensor<3xi64>}

// -----

// expected-error @+1 {{dim values need a static integer tensor type}}
func.func private @dim_values_huge() attributes {a = #tfc.dim_values<[]> : tensor<4294967296x4294967296xi64>}

// -----

// expected-error @+1 {{dim values need a static integer tensor type}}
func.func private @dim_values_untyped() attributes {a = #tfc.dim_values<[a]>}

// -----

// expected-error @+2 {{expected string}}
// expected-error @+1 {{failed to parse Tfc_FileSourceAttr parameter 'path'}}
func.func private @file() attributes {a = #tfc.file<path, 0, 1>}

// -----

// expected-error @+2 {{expected one of [normal, constant] for a distribution of made-up weights, got: uniform}}
// expected-error @+1 {{failed to parse Tfc_SeedSourceAttr parameter 'kind'}}
func.func private @seed() attributes {a = #tfc.seed<uniform, 1, 2, 0.0 : f32, 1.0 : f32>}

// -----

// expected-error @+2 {{expected integer value}}
// expected-error @+1 {{failed to parse Tfc_LayoutAttr parameter 'strides'}}
func.func private @layout() attributes {a = #tfc.layout<0, [x]>}

// -----

// expected-error @+2 {{expected one of [slot, output] for where a buffer lies, got: stack}}
// expected-error @+1 {{failed to parse Tfc_PlaceAttr parameter 'kind'}}
func.func private @place() attributes {a = #tfc.place<stack, 0>}

// -----

// expected-error @+2 {{expected '<'}}
// expected-error @+1 {{failed to parse Tfc_SlotAttr parameter 'bytes'}}
func.func private @slot() attributes {a = #tfc.slot<8>}
