// The client of the payments service. A call is one POST: fetch sends those only once.

// Not known to be paid: it answered 5xx, or the connection broke.
export class PaymentFailed extends Error {}

// No answer within the time.
export class PaymentLate extends PaymentFailed {}

// Whoever wanted it has left. That says nothing about the payments service.
export class CallerLeft extends Error {}

export class Payments {
  constructor(url) {
    this.url = new URL('/payments', url);
  }

  // `left` is aborted when the caller has left, `signal` whenever the call is to end.
  async pay({ account, order, requestId, left }, signal = left) {
    try {
      const answer = await fetch(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': requestId },
        body: JSON.stringify({ account, order }),
        signal,
      });
      // Read also where nobody needs it: the connection is free for the next call only then.
      const body = await answer.text();
      if (answer.status < 500) return { status: answer.status, body };
      throw new PaymentFailed(`answered ${answer.status}`);
    } catch (error) {
      if (left.aborted) throw new CallerLeft();
      if (signal.aborted) throw new PaymentLate('no answer in time');
      if (error instanceof PaymentFailed) throw error;
      throw new PaymentFailed(`no answer: ${error.cause?.code ?? error.message}`);
    }
  }
}
