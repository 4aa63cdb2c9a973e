-- Functions that the implicit cast does not reach, because the base type itself needs a cast there: age(date) is
-- age(timestamptz). SQL functions again, which the planner replaces. OVERLAPS and AT TIME ZONE look for theirs in
-- pg_catalog alone.

CREATE FUNCTION envcrypt_define_functions(names text[], arguments text[], conversions text[]) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    schema CONSTANT text := '@extschema@.';
    place text;
    name text;
    volatility "char";
    result text;
    nulls text;
    parameters text;
    actual text;
BEGIN
    SELECT string_agg(format('NULL::%s', c), ', ' ORDER BY n), string_agg(format('$%s::%s', n, c), ', ' ORDER BY n)
        INTO nulls, actual
    FROM unnest(conversions) WITH ORDINALITY AS u (c, n);
    SELECT string_agg(CASE WHEN a ~ '^(encrypted|envcrypt)_' THEN schema || a ELSE a END, ', ' ORDER BY n)
        INTO parameters
    FROM unnest(arguments) WITH ORDINALITY AS u (a, n);
    FOREACH name IN ARRAY names LOOP
        -- Later versions of PostgreSQL have more of them.
        SELECT provolatile INTO volatility FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = name
            AND cardinality(arguments) BETWEEN pronargs - pronargdefaults AND pronargs;
        CONTINUE WHEN NOT FOUND;
        place := CASE WHEN name IN ('overlaps', 'timezone') THEN 'pg_catalog.' ELSE schema END;
        EXECUTE format('CREATE TEMP VIEW envcrypt_result AS SELECT %s(%s) AS x', name, nulls);
        SELECT atttypid::regtype INTO STRICT result FROM pg_attribute
        WHERE attrelid = 'pg_temp.envcrypt_result'::regclass AND attname = 'x';
        DROP VIEW pg_temp.envcrypt_result;
        EXECUTE format('CREATE FUNCTION %s%s(%s) RETURNS %s %s LANGUAGE sql %s %s PARALLEL %s '
            'RETURN pg_catalog.%s(%s)', place, name, parameters,
            CASE name WHEN 'generate_series' THEN 'SETOF' ELSE '' END, result,
            CASE volatility WHEN 'v' THEN 'VOLATILE' ELSE 'STABLE' END,
            CASE name WHEN 'overlaps' THEN 'CALLED ON NULL INPUT' ELSE 'STRICT' END,
            CASE volatility WHEN 'v' THEN 'RESTRICTED' ELSE 'SAFE' END, name, actual);
        EXECUTE format('COMMENT ON FUNCTION %s%s(%s) IS ''of what was sealed''', place, name, parameters);
    END LOOP;
END
$$;

SELECT @extschema@.envcrypt_define_functions(
    '{acos,acosd,acosh,asin,asind,asinh,atan,atand,atanh,cbrt,ceil,ceiling,cos,cosd,cosh,cot,cotd,degrees,erf,erfc,exp,
        floor,gamma,lgamma,ln,log,log10,radians,random_normal,round,sign,sin,sind,sinh,sqrt,tan,tand,tanh,
        trunc}'::pg_catalog.text[],
    '{encrypted_int8}'::pg_catalog.text[], '{int8}'::pg_catalog.text[]);
SELECT @extschema@.envcrypt_define_functions(
    '{acos,acosd,acosh,asin,asind,asinh,atan,atand,atanh,cbrt,cos,cosd,cosh,cot,cotd,degrees,erf,erfc,gamma,lgamma,
        radians,random_normal,sin,sind,sinh,tan,tand,tanh,to_timestamp}'::pg_catalog.text[],
    '{encrypted_numeric}'::pg_catalog.text[], '{numeric}'::pg_catalog.text[]);
SELECT @extschema@.envcrypt_define_functions('{to_timestamp}'::pg_catalog.text[], '{encrypted_int8}'::pg_catalog.text[],
    '{int8}'::pg_catalog.text[]);
SELECT @extschema@.envcrypt_define_functions(names, arguments, conversions)
FROM (VALUES
    ('{pow,power}'::pg_catalog.text[], '{encrypted_int8,encrypted_int8}'::pg_catalog.text[],
        '{int8,int8}'::pg_catalog.text[]),
    ('{pow,power}', '{encrypted_int8,envcrypt_float8_operand}', '{int8,float8}'),
    ('{pow,power}', '{envcrypt_float8_operand,encrypted_int8}', '{float8,int8}'),
    ('{pow,power}', '{encrypted_int8,envcrypt_numeric_operand}', '{int8,numeric}'),
    ('{pow,power}', '{envcrypt_numeric_operand,encrypted_int8}', '{numeric,int8}'),
    ('{pow,power}', '{encrypted_numeric,encrypted_numeric}', '{numeric,numeric}'),
    ('{atan2,atan2d,random_normal}', '{encrypted_int8,float8}', '{int8,float8}'),
    ('{atan2,atan2d,random_normal}', '{float8,encrypted_int8}', '{float8,int8}'),
    ('{atan2,atan2d,random_normal}', '{encrypted_int8,encrypted_int8}', '{int8,int8}'),
    ('{atan2,atan2d,random_normal}', '{encrypted_numeric,float8}', '{numeric,float8}'),
    ('{atan2,atan2d,random_normal}', '{float8,encrypted_numeric}', '{float8,numeric}'),
    ('{atan2,atan2d,random_normal}', '{encrypted_numeric,encrypted_numeric}', '{numeric,numeric}'),
    ('{div,log}', '{envcrypt_int8_operand,numeric}', '{int8,numeric}'),
    ('{div,log}', '{numeric,envcrypt_int8_operand}', '{numeric,int8}'),
    ('{div,log}', '{envcrypt_int8_operand,envcrypt_int8_operand}', '{int8,int8}'),
    ('{gcd,lcm,mod,random}', '{envcrypt_int8_operand,envcrypt_numeric_operand}', '{int8,numeric}'),
    ('{gcd,lcm,mod,random}', '{envcrypt_numeric_operand,envcrypt_int8_operand}', '{numeric,int8}'),
    ('{round,trunc}', '{envcrypt_int8_operand,integer}', '{int8,integer}'),
    ('{scale,min_scale,trim_scale}', '{envcrypt_int8_operand}', '{int8}'))
    AS v (names, arguments, conversions);
SELECT @extschema@.envcrypt_define_functions(names, arguments, conversions)
FROM (VALUES
    ('{age}'::pg_catalog.text[], '{encrypted_date}'::pg_catalog.text[], '{date}'::pg_catalog.text[]),
    ('{age}', '{encrypted_date,encrypted_date}', '{date,date}'),
    ('{age}', '{encrypted_date,timestamptz}', '{date,timestamptz}'),
    ('{age}', '{timestamptz,encrypted_date}', '{timestamptz,date}'),
    ('{age}', '{encrypted_date,timestamp}', '{date,timestamp}'),
    ('{age}', '{timestamp,encrypted_date}', '{timestamp,date}'),
    ('{date_add,date_subtract}', '{encrypted_date,interval}', '{date,interval}'),
    ('{date_add,date_subtract}', '{encrypted_date,interval,text}', '{date,interval,text}'),
    ('{date_trunc}', '{text,encrypted_date}', '{text,date}'),
    ('{date_trunc}', '{text,encrypted_date,text}', '{text,date,text}'),
    ('{date_bin}', '{interval,encrypted_date,envcrypt_timestamptz_operand}', '{interval,date,timestamptz}'),
    ('{to_char}', '{encrypted_date,text}', '{date,text}'),
    ('{timezone}', '{encrypted_date}', '{date}'),
    ('{timezone}', '{text,encrypted_date}', '{text,date}'),
    ('{timezone}', '{interval,encrypted_date}', '{interval,date}'),
    ('{date_bin}', '{interval,encrypted_date,envcrypt_timestamp_operand}', '{interval,date,timestamp}'),
    ('{date_bin}', '{interval,envcrypt_timestamptz_operand,encrypted_date}', '{interval,timestamptz,date}'),
    ('{date_bin}', '{interval,envcrypt_timestamp_operand,encrypted_date}', '{interval,timestamp,date}'),
    ('{date_bin}', '{interval,encrypted_date,encrypted_date}', '{interval,date,date}'),
    ('{generate_series}', '{encrypted_date,envcrypt_timestamp_operand,interval}', '{date,timestamp,interval}'),
    ('{generate_series}', '{envcrypt_timestamp_operand,encrypted_date,interval}', '{timestamp,date,interval}'),
    ('{generate_series}', '{encrypted_date,encrypted_date,interval}', '{date,date,interval}'),
    ('{generate_series}', '{encrypted_date,envcrypt_timestamptz_operand,interval}', '{date,timestamptz,interval}'),
    ('{generate_series}', '{envcrypt_timestamptz_operand,encrypted_date,interval}', '{timestamptz,date,interval}'),
    ('{generate_series}', '{encrypted_date,envcrypt_timestamptz_operand,interval,text}',
        '{date,timestamptz,interval,text}'),
    ('{generate_series}', '{envcrypt_timestamptz_operand,encrypted_date,interval,text}',
        '{timestamptz,date,interval,text}'),
    ('{generate_series}', '{encrypted_date,encrypted_date,interval,text}', '{date,date,interval,text}'))
    AS v (names, arguments, conversions);
SELECT @extschema@.envcrypt_define_functions('{overlaps}'::pg_catalog.text[], arguments,
    pg_catalog.array_replace(arguments, 'encrypted_date', 'date'))
FROM pg_catalog.unnest('{encrypted_date,timestamptz}'::pg_catalog.text[]) AS a,
    pg_catalog.unnest('{encrypted_date,timestamptz,interval}'::pg_catalog.text[]) AS b,
    pg_catalog.unnest('{encrypted_date,timestamptz}'::pg_catalog.text[]) AS c,
    pg_catalog.unnest('{encrypted_date,timestamptz,interval}'::pg_catalog.text[]) AS d,
    LATERAL (SELECT ARRAY[a, b, c, d]) AS e (arguments)
WHERE 'encrypted_date' IN (a, b, c, d);
DROP FUNCTION @extschema@.envcrypt_define_functions(text[], text[], text[]);
