-- Chapter 9.3: mathematical functions and operators, over int8, numeric and float8.

-- name: int8_plus_minus
SELECT id, n + 1, n - 1, 1 + n, 1 - n, n + 1::int2, n - 1::int8 FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: int8_times_divide_modulo
SELECT id, n * 2, 2 * n, n / 2, n % 5, n / 3::int2, 100 / nullif(n, 0) FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: int8_with_numeric
SELECT id, n * 1.5, n + 0.1, n / 4.0, n - 0.5, 10.0 / nullif(n, 0) FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: int8_modulo_numeric
SELECT id, n % 2.5, 10.5 % nullif(n, 0) FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: int8_with_float
SELECT id, n * 0.5::float8, n + 1::float4, 1e0::float8 / nullif(n, 0) FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: int8_untyped_literal
SELECT id, n + '1', '2' * n FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: int8_signs
SELECT id, -n, +n, @ n, abs(n) FROM t ORDER BY id;

-- name: int8_sign_function
SELECT id, sign(n) FROM t ORDER BY id;

-- name: int8_power_root
SELECT id, n ^ 2, power(n, 2), pow(2, n) FROM t WHERE abs(n) < 20 ORDER BY id;

-- name: int8_roots
SELECT id, sqrt(abs(n)), cbrt(n), |/ abs(n) FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: int8_sqrt_column
SELECT id, sqrt(n) FROM t WHERE n BETWEEN 0 AND 100 ORDER BY id;

-- name: int8_root_operators
SELECT id, |/ n, ||/ n FROM t WHERE n BETWEEN 0 AND 100 ORDER BY id;

-- name: int8_bits
SELECT id, n & 6, n | 1, n # 3, ~ n, n << 2, n >> 1 FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: int8_functions
SELECT id, mod(n, 7), mod(100, nullif(n, 0)), gcd(n, 12), lcm(n, 4), factorial(abs(n) % 10) FROM t
WHERE abs(n) < 1000 ORDER BY id;

-- name: int8_div
SELECT id, div(n, 7), div(n, 2.5) FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: int8_factorial
SELECT id, factorial(n) FROM t WHERE n BETWEEN 0 AND 12 ORDER BY id;

-- name: int8_rounding
SELECT id, ceil(n), floor(n), ceiling(n) FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: int8_round
SELECT id, round(n), trunc(n) FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: int8_round_digits
SELECT id, round(n, -1), trunc(n, -1), round(n / 3.0, 2) FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: int8_logarithms
SELECT id, ln(n), log(n), log10(n), exp(n / 10) FROM t WHERE n BETWEEN 1 AND 100 ORDER BY id;

-- name: int8_logarithm_base
SELECT id, log(2, n), log(n + 1, 100) FROM t WHERE n BETWEEN 1 AND 100 ORDER BY id;

-- name: int8_trigonometry
SELECT id, round(sin(n)::numeric, 10), round(cosd(n)::numeric, 10), degrees(n), radians(n) FROM t WHERE abs(n) < 1000
ORDER BY id;

-- name: int8_overflow_fails
SELECT n + 1 FROM t WHERE id = 6;

-- name: int8_division_by_zero_fails
SELECT 1 / n FROM t WHERE id = 4;

-- name: int8_two_columns
SELECT t.id, t.n + u.n, t.n * u.n, t.n - p.n FROM t JOIN u USING (id) JOIN p USING (id) WHERE abs(t.n) < 1000
ORDER BY t.id;

-- name: int8_plain_int4_column
SELECT id, n + id, id * n, id - n, id / nullif(n, 0) FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: int8_text_forms
SELECT id, to_hex(n), n::text, chr((n + 65)::int), lpad(n::text, 5, '0') FROM t WHERE n BETWEEN 0 AND 100 ORDER BY id;

-- name: int8_width_bucket
SELECT id, width_bucket(n, 0, 20, 4), width_bucket(n::float8, 0, 20, 4) FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: numeric_operators
SELECT id, amount + 1, amount - 1, amount * 2, amount / 3, amount % 2, - amount, + amount, @ amount FROM t ORDER BY id;

-- name: numeric_operators_left
SELECT id, 1 + amount, 1 - amount, 2 * amount, 3 / nullif(amount, 0), 1::int8 + amount, 1::int2 - amount FROM t
ORDER BY id;

-- name: numeric_precision
SELECT id, amount * 1.10, amount / 7, amount + 0.000000000000000000001 FROM t ORDER BY id;

-- name: numeric_power_root
SELECT id, amount ^ 2, sqrt(abs(amount)), |/ abs(amount), power(amount, 2), power(amount, 2.0) FROM t
WHERE abs(amount) < 100
ORDER BY id;

-- name: numeric_root_operators
SELECT id, |/ amount, ||/ amount, cbrt(amount) FROM t WHERE amount BETWEEN 0.01 AND 100 ORDER BY id;

-- name: numeric_power_mixed
SELECT id, amount ^ 2.5, amount ^ n, power(amount, n), n ^ price FROM t WHERE amount BETWEEN 0.01 AND 20
    AND n BETWEEN 0 AND 10
ORDER BY id;

-- name: numeric_trigonometry
SELECT id, sin(amount), cos(price), atan2(amount, 2), degrees(amount) FROM t WHERE abs(amount) BETWEEN 0.1 AND 100
ORDER BY id;

-- name: numeric_rounding
SELECT id, round(amount), round(amount, 1), round(amount, -1), trunc(amount), trunc(amount, 1), ceil(amount),
    ceiling(amount), floor(amount) FROM t ORDER BY id;

-- name: numeric_functions
SELECT id, abs(amount), sign(amount), div(amount, 4), mod(amount, 4), scale(amount), min_scale(amount),
    trim_scale(amount)
FROM t ORDER BY id;

-- name: numeric_gcd
SELECT id, gcd(amount, 4), lcm(amount, 4) FROM t WHERE abs(amount) < 1000 ORDER BY id;

-- name: numeric_logarithms
SELECT id, ln(amount), log(amount), log(2, amount), exp(amount / 10) FROM t WHERE amount BETWEEN 0.1 AND 100
ORDER BY id;

-- name: numeric_width_bucket
SELECT id, width_bucket(amount, 0, 50, 5), width_bucket(amount, ARRAY[0, 10, 20]::numeric[]) FROM t
WHERE abs(amount) < 1000 ORDER BY id;

-- name: numeric_with_float
SELECT id, amount * 0.5::float8, amount + 1::float4 FROM t WHERE abs(amount) < 1000 ORDER BY id;

-- name: numeric_sum_expression
SELECT sum(price * n) AS total, sum(price * 1.19) AS gross, avg(price - 1) FROM t WHERE abs(n) < 1000;

-- name: numeric_typmod_expression
SELECT id, price * 2, price / 3, price::int, round(price * 1.075, 2) FROM t WHERE abs(price) < 100000 ORDER BY id;

-- name: numeric_two_columns
SELECT id, amount - price, price * amount, amount / nullif(price, 0), amount > price FROM t ORDER BY id;

-- name: numeric_by_int8_column
SELECT id, amount * n, n * amount, amount / nullif(n, 0), price + n, n - price FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: numeric_by_float8_column
SELECT id, amount * ratio, ratio + amount, n * ratio, ratio / nullif(n, 0) FROM t WHERE abs(n) < 10 ORDER BY id;

-- name: numeric_division_by_zero_fails
SELECT 1 / amount FROM t WHERE id = 4;

-- name: numeric_sqrt_negative_fails
SELECT sqrt(amount) FROM t WHERE id = 3;

-- name: float8_operators
SELECT id, ratio + 1, ratio - 1, ratio * 2, ratio / 3, - ratio, + ratio, @ ratio FROM t WHERE abs(ratio) < 1e300
ORDER BY id;

-- name: float8_operators_left
SELECT id, 1 + ratio, 1 - ratio, 2.5 * ratio, 3::float4 - ratio, 1::int8 + ratio FROM t WHERE abs(ratio) < 1e300
ORDER BY id;

-- name: float8_power_root
SELECT id, ratio ^ 2, |/ abs(ratio), ||/ ratio, sqrt(abs(ratio)), cbrt(ratio), power(ratio, 2) FROM t
WHERE abs(ratio) < 1e100 AND abs(ratio) > 1e-100 ORDER BY id;

-- name: float8_rounding
SELECT id, round(ratio), trunc(ratio), ceil(ratio), ceiling(ratio), floor(ratio) FROM t ORDER BY id;

-- name: float8_round_digits
SELECT id, round(ratio::numeric, 2) FROM t WHERE abs(ratio) BETWEEN 1e-10 AND 1e10 ORDER BY id;

-- name: float8_round_digits_fails
SELECT round(ratio, 2) FROM t;

-- name: float8_functions
SELECT id, abs(ratio), sign(ratio), degrees(ratio), radians(ratio), exp(ratio / 100) FROM t
WHERE abs(ratio) BETWEEN 0.1 AND 100
ORDER BY id;

-- name: float8_logarithms
SELECT id, ln(ratio), log(ratio), log10(ratio) FROM t WHERE ratio BETWEEN 0.1 AND 100 ORDER BY id;

-- name: float8_trigonometry
SELECT id, sin(ratio), cos(ratio), tan(ratio), cot(ratio), atan(ratio), atan2(ratio, 2), sind(ratio), asind(0.5),
    sinh(ratio), tanh(ratio),
    asinh(ratio) FROM t WHERE abs(ratio) BETWEEN 0.1 AND 2 ORDER BY id;

-- name: float8_arc
SELECT id, asin(ratio), acos(ratio), atanh(ratio), acosd(ratio) FROM t WHERE abs(ratio) < 1 AND abs(ratio) > 0.01
ORDER BY id;

-- name: float8_width_bucket
SELECT id, width_bucket(ratio, 0, 10, 5), width_bucket(ratio, ARRAY[0, 1, 10]::float8[]) FROM t WHERE abs(ratio) < 1000
ORDER BY id;

-- name: float8_modulo_fails
SELECT ratio % 2 FROM t;

-- name: float8_overflow_fails
SELECT ratio * 10 FROM t WHERE id = 6;

-- name: float8_digits
SET LOCAL extra_float_digits = 0;
SELECT id, ratio, ratio / 3 FROM t ORDER BY id;

-- name: text_times_number_fails
SELECT note * 2 FROM t;

-- name: bool_plus_fails
SELECT flag + 1 FROM t;

-- name: setseed_float
SELECT setseed(ratio), random() >= 0 FROM t WHERE id = 1;

-- name: numeric_generate_series
SELECT id, g FROM t, generate_series(amount, amount + 2, 0.5) g WHERE id IN (1, 14) ORDER BY 1, 2;

-- name: int8_generate_series
SELECT id, g FROM t, generate_series(1, n) g WHERE id IN (1, 2, 10) ORDER BY 1, 2;

-- name: int8_generate_series_both
SELECT id, g FROM t, generate_series(n, n + 10, 5) g WHERE id < 3 ORDER BY 1, 2;
