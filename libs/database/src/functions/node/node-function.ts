/** How a function for nodes is made: of porin_functions, which has no rights but those that it needs, and for nodes alone. */
import { SEARCH_PATH, type SqlFunction } from '../sql-function.js';

/**
 * One that nodes call, with one jsonb record, and whose answer is jsonb. `body` is PL/pgSQL from DECLARE or BEGIN on, and is
 * refused to whoever is no node. It reaches what is the caller's own: everything that it is told is the word of a node.
 */
export function nodeFunction(name: string, body: string, more = ''): SqlFunction {
  return ownedByFunctions(name, `input jsonb${more}`, 'jsonb', {
    body: body.replace(/^BEGIN$/m, 'BEGIN\n  PERFORM porin.calling_node();'),
    rights: 'SECURITY DEFINER',
    callers: 'GRANT EXECUTE ON FUNCTION {} TO porin_node;',
  });
}

/** One that only the others call. STABLE: it changes and locks nothing, so that indexes are searched with what it says. */
export function helperFunction(
  name: string,
  parameters: string,
  returns: string,
  body: string,
  volatility: 'VOLATILE' | 'STABLE' = 'VOLATILE',
): SqlFunction {
  return ownedByFunctions(name, parameters, returns, { body, rights: `${volatility} SECURITY INVOKER`, callers: '' });
}

/** One that the API calls. */
export function apiFunction(name: string, body: string): SqlFunction {
  return ownedByFunctions(name, 'input jsonb', 'jsonb', {
    body,
    rights: 'SECURITY DEFINER',
    callers: 'GRANT EXECUTE ON FUNCTION {} TO porin_api;',
  });
}

function ownedByFunctions(
  name: string,
  parameters: string,
  returns: string,
  { body, rights, callers }: { body: string; rights: string; callers: string },
): SqlFunction {
  const types = parameters.split(', ').map((parameter) => parameter.split(' ').slice(1).join(' '));
  const signature = `porin.${name}(${parameters === '' ? '' : types.join(', ')})`;
  return {
    name,
    sql: `
CREATE FUNCTION porin.${name}(${parameters}) RETURNS ${returns} LANGUAGE plpgsql ${rights} ${SEARCH_PATH} AS $function$
${body.trim()}
$function$;
ALTER FUNCTION ${signature} OWNER TO porin_functions;
REVOKE ALL ON FUNCTION ${signature} FROM PUBLIC;
${callers.replace('{}', signature)}`,
  };
}
