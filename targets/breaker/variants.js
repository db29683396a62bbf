// What stands between a checkout and the payments service, by the name of the variant. Each is made once and
// gives a function that guards one call; it throws CircuitOpen where that was not made.

import { BrokenCircuitError, ConsecutiveBreaker, TimeoutStrategy } from 'cockatiel';
import { circuitBreaker, handleWhen, timeout, wrap } from 'cockatiel';
import CircuitBreaker from 'opossum';

import { CallerLeft, PaymentLate } from './payments.js';

export class CircuitOpen extends Error {}

// It knows no failures in a row: it opens above a share of all it was asked for within a window of time, if
// that were THRESHOLD at least. A call that it gives up goes on until its caller has the 504 and is gone.
function opossum(payments, { threshold, openMs, callTimeoutMs, windowMs, buckets }) {
  const breaker = new CircuitBreaker((call) => payments.pay(call), {
    errorThresholdPercentage: 50,
    volumeThreshold: threshold,
    rollingCountTimeout: windowMs,
    rollingCountBuckets: buckets,
    resetTimeout: openMs,
    timeout: callTimeoutMs,
  });
  return async (call) => {
    try {
      return await breaker.fire(call);
    } catch (error) {
      if (error.code === 'EOPENBREAKER') throw new CircuitOpen();
      if (error.code === 'ETIMEDOUT') throw new PaymentLate('no answer in time');
      throw error;
    }
  };
}

// Callers who come while the trial is under way wait for it; the signal of those is not passed on.
function cockatiel(payments, { threshold, openMs, callTimeoutMs }) {
  const breaker = circuitBreaker(
    handleWhen((error) => !(error instanceof CallerLeft)),
    { halfOpenAfter: openMs, breaker: new ConsecutiveBreaker(threshold) },
  );
  const policy = wrap(breaker, timeout(callTimeoutMs, TimeoutStrategy.Cooperative));
  return async (call) => {
    try {
      return await policy.execute(({ signal }) => payments.pay(call, signal), call.left);
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw new CircuitOpen();
      throw error;
    }
  };
}

function none(payments) {
  return (call) => payments.pay(call);
}

export const variants = { none, opossum, cockatiel };
